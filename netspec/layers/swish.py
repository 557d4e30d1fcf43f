"""Swish."""

from __future__ import annotations

from ..layer import Layer, param


class Swish(Layer):
    """Weigh each value by its own sigmoid.

    y = x / (1 + exp(-beta * x))

    Shape   same
    Source  BVLC/caffe, src/caffe/layers/swish_layer.cpp
    """

    family = "activation"

    beta: float = param(default=1.0, doc="steepness of the sigmoid; 1 is SiLU")
