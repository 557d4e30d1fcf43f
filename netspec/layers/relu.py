"""ReLU."""

from __future__ import annotations

from ..layer import Layer, param


class ReLU(Layer):
    """Keep what is positive, and scale what is not.

    y = x where x > 0, else negative_slope * x

    Shape   same
    Source  BVLC/caffe, src/caffe/layers/relu_layer.cpp
    """

    family = "activation"
    message = "relu_param"

    negative_slope: float = param(default=0.0, doc="slope where x < 0; 0.1 is a leaky ReLU")
    engine: str = param(default="DEFAULT", choices=("DEFAULT", "CAFFE", "CUDNN"), doc="ignored")
