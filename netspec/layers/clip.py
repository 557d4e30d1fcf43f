"""Clip."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, param


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
        for one, other in ("min", "max"), ("max", "min"):
            if one in self.given and other not in self.given:
                raise Reject(codes.ParamMissing, at=one, param=other, what=f" beside `{one}`")
        return bottoms[0]
