"""Concat."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, canonical_axis, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class Concat(Layer):
    """Join bottoms along one axis, in the order given.

    Shape   S[:axis] x Ai x S[axis+1:], ..  ->  S[:axis] x (sum of Ai) x S[axis+1:]
    Rejects E402 if another axis differs
            E404 if the number of axes differs
            E407 if `axis` and `concat_dim` are both given
            E405 if there is no axis `axis`
            E411 if the dtypes differ
    Source  BVLC/caffe, src/caffe/layers/concat_layer.cpp
    """

    family = "merge"
    bottoms = (1, None)
    reads = "any"

    axis: int = param(default=1, doc="the axis to join along; negative from the end")
    concat_dim: int = param(default=1, minimum=0, doc="old name of `axis`")

    def along(self, blob: Blob) -> int:
        """Return the axis, from 0."""
        return either_axis(self, "concat_dim", blob)

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the first bottom with the extents along the axis added up."""
        first = bottoms[0]
        axis = self.along(first)
        total = first.shape[axis]
        for index, other in enumerate(bottoms[1:], 1):
            need_rank(other, first.rank, first.rank, index)
            if other.dtype != first.dtype:
                raise Reject(
                    codes.WrongDtype, expected=f"bottoms of one dtype, {first.dtype}",
                    dtype=other.dtype, bottom=index,
                )  # fmt: skip
            total = total + other.shape[axis]
        return first.resized(axis, total)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield every axis but the one joined along."""
        first = bottoms[0]
        joined = self.along(first)
        for index, other in enumerate(bottoms[1:], 1):
            for axis, (size, wanted) in enumerate(zip(other.shape, first.shape, strict=True)):
                if axis != joined:
                    yield f"axis {axis}", size, wanted, index


def either_axis(layer: Layer, old: str, blob: Blob) -> int:
    """Return `axis` or its old spelling, from 0. Rejects E405, and E407 where both are given."""
    if old not in layer.given:
        return canonical_axis(layer, "axis", blob)
    if "axis" in layer.given:
        raise Reject(codes.ParamConflict, at=old, param=old, other="axis")
    return canonical_axis(layer, old, blob)
