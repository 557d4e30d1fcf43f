"""Exp."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, param


class Exp(Layer):
    """Take powers of a base.

    y = base ^ (shift + scale * x)

    Shape   same
    Rejects E413 if base is neither -1 nor positive
    Source  BVLC/caffe, src/caffe/layers/exp_layer.cpp
    """

    family = "activation"

    base: float = param(default=-1.0, doc="positive; -1 is e")
    scale: float = param(default=1.0, doc="factor of x")
    shift: float = param(default=0.0, doc="added to scale * x")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        if self.base != -1 and self.base <= 0:
            raise Reject(
                codes.BadParam, at="base", value=self.base, reason="must be positive, or -1 for e"
            )
        return bottoms[0]
