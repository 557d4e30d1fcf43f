"""Mish."""

from __future__ import annotations

from ..layer import Layer


class Mish(Layer):
    """Weigh each value by the tanh of its softplus.

    y = x * tanh(log(1 + exp(x)))

    Shape   same
    Source  arXiv 1908.08681
    """

    family = "activation"
