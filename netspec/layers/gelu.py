"""GELU."""

from __future__ import annotations

from ..layer import Layer, param


class GELU(Layer):
    """Weigh each value by the normal distribution below it.

    y = x * P(X <= x), X of the standard normal distribution

    Shape   same
    Source  arXiv 1606.08415
    """

    family = "activation"

    approximate: str = param(default="none", choices=("none", "tanh"), doc="`tanh`: a closed form")
