"""SigmoidCrossEntropyLoss."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, param
from .euclidean_loss import batched, same_items
from .softmax_with_loss import NORMALIZATIONS, norm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class SigmoidCrossEntropyLoss(Layer):
    """Compare the sigmoid of scores with targets from 0 to 1, each element for itself.

    y = -(sum over all of t * log p + (1 - t) * log(1 - p)) / norm, p = sigmoid(x)

    Targets whose whole part equals `ignore_label` cost nothing. norm is, for `normalization`,
    BATCH_SIZE (the default, so y is a sum over an item): N; VALID: the targets that are not
    ignored; FULL: all targets; NONE: 1; and never less than 1.

    Shape   N x .., N x ..  ->  a scalar
    Rejects E402 if N, or the number of elements of an item, differs
    Source  BVLC/caffe, src/caffe/layers/sigmoid_cross_entropy_loss_layer.cpp
    """

    family = "loss"
    message = "loss_param"
    bottoms = 2
    reads = ("float", "any")
    loss = True
    no_gradient = (1,)

    ignore_label: int = param(default=None, doc="a target that costs nothing")
    normalization: str = param(
        default="BATCH_SIZE", choices=NORMALIZATIONS, doc="what divides the sum"
    )
    normalize: bool = param(default=None, doc="old form: true is VALID, false is BATCH_SIZE")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a scalar."""
        return batched(*bottoms)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield one target for each score."""
        yield from same_items(bottoms[0], bottoms[1], 1)

    @property
    def norm(self) -> str:
        """Return what divides the sum, the older field taken into account."""
        return norm(self, "BATCH_SIZE")
