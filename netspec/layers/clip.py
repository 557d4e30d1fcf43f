"""Clip."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, given_together, param


class Clip(Layer):
    """Bring values into a range.

    y = max(min, min(x, max))

    Shape   same
    Rejects E408 if only one end is given
    Source  BVLC/caffe, src/caffe/layers/clip_layer.cpp

    Without clip_param both ends are 0. The gradient passes where x is in the range, ends included;
    in place it passes everywhere, as Caffe does: it reads the value it has overwritten.
    """

    family = "activation"

    min: float = param(default=0.0, doc="least value")
    max: float = param(default=0.0, doc="greatest value")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        given_together(self, "min", "max")
        return bottoms[0]
