"""Sigmoid."""

from __future__ import annotations

from ..layer import Layer, param


class Sigmoid(Layer):
    """Squash values between 0 and 1.

    y = 1 / (1 + exp(-x))

    Shape   same
    Source  BVLC/caffe, src/caffe/layers/sigmoid_layer.cpp
    """

    family = "activation"

    engine: str = param(default="DEFAULT", choices=("DEFAULT", "CAFFE", "CUDNN"), doc="ignored")
