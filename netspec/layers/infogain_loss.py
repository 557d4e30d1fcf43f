"""InfogainLoss."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, canonical_axis, param
from .accuracy import one_label_each
from .euclidean_loss import batched
from .softmax_with_loss import NORMALIZATIONS, norm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class InfogainLoss(Layer):
    """Compare the softmax of scores with labels, each mistake weighted by a matrix H.

    y = -(sum over n, i, k of H[label[n, i], k] * log p[n, k, i]) / norm, p the softmax over `axis`

    A probability counts as at least 1e-20. H, K x K for K classes, is the third bottom, or a
    .binaryproto in the folder of the spec, `source`: check does not open it, the backend reads it.
    For `ignore_label` and norm see SoftmaxWithLoss. A second top gives p.

    Shape   S, labels (as many as S without `axis`) [, K x K]  ->  a scalar [, S]
    Rejects E406 if there is not one label for each score vector
            E402 if H is not K x K
            E408 if there is no H
            E405 if there is no axis `axis`
    Source  BVLC/caffe, src/caffe/layers/infogain_loss_layer.cpp
    """

    family = "loss"
    bottoms = (2, 3)
    tops = (1, 2)
    reads = ("float", "any", "float")
    loss = True
    no_gradient = (1, 2)

    source_: str = param(default="", field="source", doc="file of H, where no bottom gives it")
    axis: int = param(default=1, doc="the axis of the classes; negative from the end")
    ignore_label: int = param(default=None, message="loss_param", doc="a label that costs nothing")
    normalization: str = param(
        default="VALID", message="loss_param", choices=NORMALIZATIONS, doc="what divides the sum"
    )
    normalize: bool = param(
        default=None, message="loss_param", doc="old form: true is VALID, false is BATCH_SIZE"
    )

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return a scalar, and the shape of the scores."""
        canonical_axis(self, "axis", bottoms[0])
        if len(bottoms) == 2 and not self.source_:
            doc = self.params["source_"].doc
            raise Reject(codes.ParamMissing, param="source", what=f", or a third bottom ({doc})")
        return [batched(*bottoms[:2]), bottoms[0]][: self.top_count]

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield one label for each score vector, and the extents of H."""
        x, labels = bottoms[:2]
        axis = canonical_axis(self, "axis", x)
        yield from one_label_each(x, labels, axis)
        yield "axis 0", labels.shape[0], x.shape[0], 1
        if len(bottoms) == 3:
            classes = x.shape[axis]
            yield "the count", bottoms[2].size, classes * classes, 2

    @property
    def norm(self) -> str:
        """Return what divides the sum, the older field taken into account."""
        return norm(self, "VALID")
