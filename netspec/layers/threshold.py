"""Threshold."""

from __future__ import annotations

from ..layer import Layer, param


class Threshold(Layer):
    """Mark what is over a threshold.

    y = 1 where x > threshold, else 0

    Shape   same
    Source  BVLC/caffe, src/caffe/layers/threshold_layer.cpp
    """

    family = "activation"
    no_gradient = (0,)

    threshold: float = param(default=0.0, doc="the threshold; equal is not over")
