"""MultinomialLogisticLoss."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer
from .accuracy import one_label_each
from .euclidean_loss import batched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class MultinomialLogisticLoss(Layer):
    """Compare probabilities with labels.

    y = -(sum over n of log p[n, label[n]]) / N

    A probability counts as at least 1e-20, in the gradient too. SoftmaxWithLoss, which reads
    scores, is the stabler way to the same loss.

    Shape   N x .., labels N  ->  a scalar
    Rejects E406 if there is not one label for each item
    Source  BVLC/caffe, src/caffe/layers/multinomial_logistic_loss_layer.cpp
    """

    family = "loss"
    bottoms = 2
    reads = ("float", "any")
    loss = True
    no_gradient = (1,)

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a scalar."""
        return batched(*bottoms)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield one label for each item."""
        x, labels = bottoms
        yield from one_label_each(Blob((x.shape[0], 1)), labels, 1)
