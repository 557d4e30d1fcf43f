"""LogSoftmax."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, canonical_axis, param


class LogSoftmax(Layer):
    """Turn scores into the logarithms of probabilities.

    y[j] = x[j] - log(sum over k of exp(x[k])), j and k along `axis`

    Shape   same
    Rejects E405 if there is no such axis
    Source  as Softmax
    """

    family = "activation"

    axis: int = param(default=1, doc="the axis of the classes; negative from the end")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        canonical_axis(self, "axis", bottoms[0])
        return bottoms[0]
