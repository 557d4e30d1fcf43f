"""DiceLoss."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, param
from .euclidean_loss import batched, same_items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class DiceLoss(Layer):
    """Compare probabilities with a mask by their overlap.

    y = 1 - (mean over n of (2 * sum of p*t + smooth) / (sum of p^2 + sum of t^2 + smooth))

    The sums run over a whole item. `squared: false` adds up p and t in place of their squares.

    Shape   N x .., N x ..  ->  a scalar
    Rejects E402 if N, or the number of elements of an item, differs
    Source  Milletari et al., V-Net, arXiv:1606.04797, section 3
    """

    family = "loss"
    bottoms = 2
    reads = ("float", "any")
    loss = True
    no_gradient = (1,)

    smooth: float = param(default=1.0, minimum=0, doc="added above and below, against 0 / 0")
    squared: bool = param(default=True, doc="add up squares below")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a scalar."""
        return batched(*bottoms)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield one target for each probability."""
        yield from same_items(bottoms[0], bottoms[1], 1)
