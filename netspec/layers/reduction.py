"""Reduction."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, canonical_axis, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..dim import Size


class Reduction(Layer):
    """Add up all axes from one on.

    y = coeff * (sum of x, |x| (ASUM) or x^2 (SUMSQ), or mean of x, over every axis from `axis` on)

    Shape   S  ->  S[:axis]
    Rejects E405 if `axis` is not an axis of the bottom
    Source  BVLC/caffe, src/caffe/layers/reduction_layer.cpp
    """

    family = "structure"

    operation: str = param(
        default="SUM", choices=("SUM", "ASUM", "SUMSQ", "MEAN"), doc="what to add up"
    )
    axis: int = param(default=0, doc="the first axis that is reduced; negative from the end")
    coeff: float = param(default=1.0, doc="factor of the result")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the axes that are kept."""
        x = bottoms[0]
        return Blob(x.shape[: canonical_axis(self, "axis", x)], x.dtype)

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count one for each square."""
        return bottoms[0].size if self.operation == "SUMSQ" else 0
