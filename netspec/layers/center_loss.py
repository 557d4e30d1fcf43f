"""CenterLoss."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import product
from ..layer import Filler, Layer, Reject, canonical_axis, param
from .euclidean_loss import batched
from .smooth_l1_loss_ohem import of_four

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size
    from ..layer import Agreement


class CenterLoss(Layer):
    """Pull each item towards the center of its class, and the centers towards their items.

    y = (sum over n, k of (x[n, k] - centers[label[n], k])^2) / (2*N)

    The centers are a weight: the solver moves them, with their lr_mult, decay and momentum. What
    it is given is not the loss's derivative but, whatever the loss weight,
    (sum of centers[j] - x[n] over the items of class j) / (1 + their count): with plain SGD a
    step of the paper, whose alpha is the learning rate.

    Shape   N x D1..Dr, N labels [x 1 x 1 x 1]  ->  a scalar
    Rejects E402 if N differs
            E404 if the items have not 2 to 4 axes, or the labels not 1 to 4
            E414 if an item has more than one label
            E413 if `axis` is not that of the channels: the fork then reads a part of the items
            E405 if there is no axis `axis`
    Source  ydwen/caffe-face, src/caffe/layers/center_loss_layer.{cpp,cu}; Wen et al., ECCV 2016
    """

    family = "loss"
    bottoms = 2
    reads = ("float", "any")
    in_place = False
    loss = True
    no_gradient = (1,)

    num_output: int = param(minimum=1, doc="classes, that is centers")
    center_filler: Filler = param(default=None, doc="how the centers start; 0")
    axis: int = param(default=1, doc="the first axis of an item's numbers: 1")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a scalar."""
        if canonical_axis(self, "axis", bottoms[0]) != 1:
            raise Reject(
                codes.BadParam,
                at="axis",
                value=self.axis,
                reason="must be the axis of the channels",
            )
        for index, blob in enumerate(bottoms):
            of_four(blob, index)
        return batched(*bottoms)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that each item has one label."""
        x, labels = bottoms
        yield "axis 0", labels.shape[0], x.shape[0], 1
        for axis, size in enumerate(labels.shape[1:], 1):
            refusal = Reject(codes.WrongSize, bottom=1, axis=f"axis {axis}", size=size, wanted=1)
            yield f"axis {axis}", size, 1, 1, refusal

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the centers."""
        yield "centers", (self.num_output, product(bottoms[0].shape[1:]))

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the centers start, where that is given."""
        return {"centers": self.center_filler} if "center_filler" in self.given else {}
