"""TripletLoss."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, param
from .euclidean_loss import batched, same_items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class TripletLoss(Layer):
    """Ask of an anchor to be nearer to its like than to another, by a margin.

    y = (sum over n of max(0, |a - p|^2 - |a - n|^2 + margin)) / N

    Shape   N x .., N x .., N x ..  ->  a scalar
    Rejects E402 if N, or the number of elements of an item, differs
    Source  Schroff et al., FaceNet, arXiv:1503.03832, equation 3
    """

    family = "loss"
    bottoms = 3
    loss = True

    margin: float = param(default=0.2, doc="by how much nearer, in squared distance")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a scalar."""
        return batched(*bottoms)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that all have the same items."""
        for index, other in enumerate(bottoms[1:], 1):
            yield from same_items(bottoms[0], other, index)
