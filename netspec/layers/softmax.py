"""Softmax."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, canonical_axis, param


class Softmax(Layer):
    """Turn scores into probabilities: positive, with the sum 1 along one axis.

    y[j] = exp(x[j]) / sum over k of exp(x[k]), j and k along `axis`

    Shape   same
    Rejects E405 if there is no such axis
    Source  BVLC/caffe, src/caffe/layers/softmax_layer.cpp
    """

    family = "activation"

    axis: int = param(default=1, doc="the axis of the classes; negative from the end")
    engine: str = param(default="DEFAULT", choices=("DEFAULT", "CAFFE", "CUDNN"), doc="ignored")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        canonical_axis(self, "axis", bottoms[0])
        return bottoms[0]
