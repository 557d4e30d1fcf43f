"""Power."""

from __future__ import annotations

from ..layer import Layer, param


class Power(Layer):
    """Raise values to a power, after a linear map.

    y = (shift + scale * x) ^ power

    Shape   same
    Source  BVLC/caffe, src/caffe/layers/power_layer.cpp
    """

    family = "activation"

    power: float = param(default=1.0, doc="exponent")
    scale: float = param(default=1.0, doc="factor of x")
    shift: float = param(default=0.0, doc="added to scale * x")
