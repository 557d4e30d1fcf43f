"""StochasticDepth."""

from __future__ import annotations

from ..layer import Layer, param


class StochasticDepth(Layer):
    """Set whole items, or the whole batch, to 0 in training: a branch left out at random.

    y[n] = x[n] * kept[n] / (1 - drop_ratio)

    Shape   same
    Phase   test passes x on
    Source  arXiv 1603.09382
    """

    family = "regularisation"

    drop_ratio: float = param(default=0.5, minimum=0, maximum=1, doc="chance to be set to 0")
    mode: str = param(default="row", choices=("row", "batch"), doc="each item alone, or all as one")
