"""StochasticDepth."""

from __future__ import annotations

from ..layer import Layer, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..blob import Blob


class StochasticDepth(Layer):
    """Set whole items, or the whole batch, to 0 in training: a branch left out at random.

    y[n] = x[n] * kept[n] / (1 - drop_ratio)

    Shape   same
    Phase   test passes x on
    Rejects E404 if there is no axis of items
    Source  arXiv 1603.09382
    """

    family = "regularisation"

    drop_ratio: float = param(default=0.5, minimum=0, maximum=1, doc="chance to be set to 0")
    mode: str = param(default="row", choices=("row", "batch"), doc="each item alone, or all as one")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        x = bottoms[0]
        need_rank(x, 1, bottom=0)
        return x
