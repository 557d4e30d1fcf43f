"""HingeLoss."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, param
from .accuracy import one_label_each
from .euclidean_loss import batched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class HingeLoss(Layer):
    """Ask of each item's score to be above 1 for its label and below -1 for every other class.

    y = (sum over n, k of max(0, 1 - s * x[n, k])^p) / N, s = 1 where k is the label, else -1;
    p = 1 for L1, 2 for L2. Exactly at the margin the gradient is 0.

    Shape   N x .., labels N  ->  a scalar
    Rejects E406 if there is not one label for each item; Caffe compares the axis 0 alone
    Source  BVLC/caffe, src/caffe/layers/hinge_loss_layer.cpp
    """

    family = "loss"
    bottoms = 2
    reads = ("float", "any")
    loss = True
    no_gradient = (1,)

    norm: str = param(default="L1", choices=("L1", "L2"), doc="of what is beyond the margin")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a scalar."""
        return batched(*bottoms)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield one label for each item."""
        x, labels = bottoms
        yield from one_label_each(Blob((x.shape[0], 1)), labels, 1)
