"""BoxAnnotatorOHEM."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, param
from .smooth_l1_loss_ohem import of_four

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class BoxAnnotatorOHEM(Layer):
    """Keep the regions of each image that cost most: hard examples, to be learned from.

    The bottoms are regions as [batch index, x1, y1, x2, y2], what each costs, its label, and the
    weights of its box. Of each image the `roi_per_img` dearest keep label and weights; the others
    get `ignore_label` and 0. Of equal costs the first in order goes first. There is no gradient.

    Shape   N x 5 x H x W, N x 1 x H x W, N x 1 x H x W, N x C x H x W
            ->  N x 1 x H x W, N x C x H x W;  axes that are not there count as 1
    Rejects E402 if N, H or W differ
            E404 if a bottom has not 1 to 4 axes
            E414 if a region has not 5 numbers, or more than one cost or label
    Source  daijifeng001/caffe-rfcn, src/caffe/layers/box_annotator_ohem_layer.cpp; arXiv 1605.06409
    """

    family = "detection"
    bottoms = 4
    tops = 2
    reads = "any"
    in_place = False
    no_gradient = (0, 1, 2, 3)

    roi_per_img: int = param(minimum=1, doc="regions of an image that are kept")
    ignore_label: int = param(default=-1, doc="the label of the others")

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return labels and weights, of four axes."""
        _, _, labels, weights = bottoms
        return [
            Blob(of_four(blob, index), blob.dtype) for index, blob in ((2, labels), (3, weights))
        ]

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield one cost, label and row of weights for each region of five numbers."""
        wanted = of_four(bottoms[0], 0)
        for index, (blob, channels) in enumerate(zip(bottoms, (5, 1, 1, None), strict=True)):
            for axis, size in enumerate(of_four(blob, index)):
                if axis != 1:
                    yield f"axis {axis}", size, wanted[axis], index
                elif channels:
                    refusal = Reject(
                        codes.WrongSize, bottom=index, axis="axis 1", size=size, wanted=channels
                    )
                    yield "axis 1", size, channels, index, refusal
