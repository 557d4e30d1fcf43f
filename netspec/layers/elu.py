"""ELU."""

from __future__ import annotations

from ..layer import Layer, param


class ELU(Layer):
    """Keep what is positive, and bend what is not towards -alpha.

    y = x where x > 0, else alpha * (exp(x) - 1)

    Shape   same
    Source  BVLC/caffe, src/caffe/layers/elu_layer.cpp
    """

    family = "activation"

    alpha: float = param(default=1.0, doc="y tends to -alpha as x falls")
