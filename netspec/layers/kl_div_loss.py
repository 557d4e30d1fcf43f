"""KLDivLoss."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, param
from .euclidean_loss import batched, same_items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class KLDivLoss(Layer):
    """Compare log-probabilities with the probabilities they should be.

    y = (sum over all of t * (log t - x)) / N; with `log_target` the second bottom is log t

    Shape   N x .., N x ..  ->  a scalar
    Rejects E402 if N, or the number of elements of an item, differs
    Source  torch.nn.KLDivLoss, reduction batchmean; Kullback, Leibler, 1951
    """

    family = "loss"
    bottoms = 2
    loss = True

    log_target: bool = param(default=False, doc="the second bottom holds logarithms")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a scalar."""
        return batched(*bottoms)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield one target for each element."""
        yield from same_items(bottoms[0], bottoms[1], 1)
