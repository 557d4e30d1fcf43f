"""Softplus."""

from __future__ import annotations

from ..layer import Layer, param


class Softplus(Layer):
    """Smooth a ReLU.

    y = log(1 + exp(beta * x)) / beta

    Shape   same
    Source  Dugas et al., Incorporating second-order functional knowledge (2000)
    """

    family = "activation"

    beta: float = param(default=1.0, exclusiveMinimum=0, doc="sharpness of the bend")
