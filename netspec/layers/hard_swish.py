"""HardSwish."""

from __future__ import annotations

from ..layer import Layer


class HardSwish(Layer):
    """Weigh each value by a sigmoid made of three lines.

    y = x * min(max(x + 3, 0), 6) / 6

    Shape   same
    Source  arXiv 1905.02244, section 5.2
    """

    family = "activation"
