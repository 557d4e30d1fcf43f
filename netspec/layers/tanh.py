"""TanH."""

from __future__ import annotations

from ..layer import Layer, param


class TanH(Layer):
    """Squash values between -1 and 1.

    y = (exp(2 x) - 1) / (exp(2 x) + 1)

    Shape   same
    Source  BVLC/caffe, src/caffe/layers/tanh_layer.cpp
    """

    family = "activation"
    message = "tanh_param"

    engine: str = param(default="DEFAULT", choices=("DEFAULT", "CAFFE", "CUDNN"), doc="ignored")
