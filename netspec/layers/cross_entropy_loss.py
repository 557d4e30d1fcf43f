"""CrossEntropyLoss."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, canonical_axis, param
from .accuracy import one_label_each
from .euclidean_loss import batched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class CrossEntropyLoss(Layer):
    """Compare scores with labels as PyTorch does: SoftmaxWithLoss, and smoothed labels.

    y = mean over the labels of (1 - s) * -log p[label] + s * (mean over k of -log p[k]),
    p the softmax over `axis`, s = label_smoothing

    Shape   S, labels (as many as S without `axis`)  ->  a scalar
    Rejects E406 if there is not one label for each score vector
            E405 if there is no axis `axis`
    Source  torch.nn.CrossEntropyLoss; Szegedy et al., arXiv:1512.00567, section 7
    """

    family = "loss"
    bottoms = 2
    reads = ("float", "any")
    loss = True
    no_gradient = (1,)

    label_smoothing: float = param(
        default=0.0, minimum=0, maximum=1, doc="share of the truth spread over all classes"
    )
    axis: int = param(default=1, doc="the axis of the classes; negative from the end")
    ignore_label: int = param(default=None, message="loss_param", doc="a label that costs nothing")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a scalar."""
        canonical_axis(self, "axis", bottoms[0])
        return batched(*bottoms)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield one label for each score vector."""
        x, labels = bottoms
        yield from one_label_each(x, labels, canonical_axis(self, "axis", x))
