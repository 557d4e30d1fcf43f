"""ReLU6."""

from __future__ import annotations

from ..layer import Layer


class ReLU6(Layer):
    """Keep what is positive, up to 6.

    y = min(max(x, 0), 6)

    Shape   same
    Source  arXiv 1704.04861, section 3
    """

    family = "activation"
