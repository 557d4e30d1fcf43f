"""Flatten."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import product
from ..layer import Layer, Reject, canonical_axis, param


class Flatten(Layer):
    """Make one axis of several.

    Shape   S  ->  S[:axis] x (product of S[axis..end_axis]) x S[end_axis+1:]
    Rejects E405 if `axis` or `end_axis` is not an axis of the bottom
            E413 if `end_axis` stands before `axis`
    Source  BVLC/caffe, src/caffe/layers/flatten_layer.cpp
    """

    family = "structure"
    reads = "any"
    in_place = False

    axis: int = param(default=1, doc="the first axis to flatten; negative from the end")
    end_axis: int = param(default=-1, doc="the last axis to flatten; negative from the end")

    def span(self, blob: Blob) -> tuple[int, int]:
        """Return the first and the last axis, from 0."""
        first, last = canonical_axis(self, "axis", blob), canonical_axis(self, "end_axis", blob)
        if last < first:
            raise Reject(
                codes.BadParam, at="end_axis", value=self.end_axis,
                reason=f"is axis {last}, before the first axis {first}",
            )  # fmt: skip
        return first, last

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom with the axes multiplied."""
        x = bottoms[0]
        first, last = self.span(x)
        flat = product(x.shape[first : last + 1])
        return Blob((*x.shape[:first], flat, *x.shape[last + 1 :]), x.dtype)
