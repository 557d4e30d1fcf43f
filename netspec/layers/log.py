"""Log."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, param


class Log(Layer):
    """Take logarithms.

    y = log(shift + scale * x) / log(base)

    Shape   same
    Rejects E413 if base is neither -1 nor positive, or is 1
    Source  BVLC/caffe, src/caffe/layers/log_layer.cpp
    """

    family = "activation"

    base: float = param(default=-1.0, doc="positive and not 1; -1 is e")
    scale: float = param(default=1.0, doc="factor of x")
    shift: float = param(default=0.0, doc="added to scale * x")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        if self.base != -1 and (self.base <= 0 or self.base == 1):
            raise Reject(
                codes.BadParam, at="base", value=self.base,
                reason="must be positive and not 1, or -1 for e",
            )  # fmt: skip
        return bottoms[0]
