"""SiLU."""

from __future__ import annotations

from ..layer import Layer


class SiLU(Layer):
    """Weigh each value by its sigmoid: Swish with beta 1.

    y = x / (1 + exp(-x))

    Shape   same
    Source  arXiv 1702.03118
    """

    family = "activation"
