"""Slice."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Ints, Layer, Reject, listed, param
from .concat import either_axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class Slice(Layer):
    """Cut the bottom into consecutive parts along one axis, one for each top.

    Shape   S  ->  S with p1, p2 - p1, .., S[axis] - plast along the axis, p the slice points;
            without points S[axis] / tops each
    Rejects E406 if there are no points and the tops do not divide the axis
            E413 if the points do not increase from 1 on, or reach the end of the axis
            E330 if there is not one point less than tops
            E407 if `axis` and `slice_dim` are both given
    Source  BVLC/caffe, src/caffe/layers/slice_layer.cpp; it takes a point at the very end, and
            aborts in the forward pass of the empty top
    """

    family = "structure"
    tops = (1, None)
    reads = "any"

    axis: int = param(default=1, doc="the axis to cut; negative from the end")
    slice_dim: int = param(default=1, minimum=0, doc="old name of `axis`")
    slice_point: Ints = param(default=None, minimum=0, doc="where each part but the first starts")

    def along(self, blob: Blob) -> int:
        """Return the axis, from 0."""
        return either_axis(self, "slice_dim", blob)

    @property
    def points(self) -> list[int]:
        """Return the slice points; empty where none are given."""
        return listed(self.slice_point)

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the parts."""
        x = bottoms[0]
        axis = self.along(x)
        size, points = x.shape[axis], self.points
        if not points:
            return [x.resized(axis, size // self.top_count)] * self.top_count
        if len(points) != self.top_count - 1:
            raise Reject(
                codes.WrongCount, at="slice_point", key="slice_point",
                expected=f"{self.top_count - 1}", count=len(points),
            )  # fmt: skip
        starts = [0, *points]
        parts = [end - start for start, end in zip(starts, points, strict=False)]
        if min(parts) < 1:
            raise Reject(
                codes.BadParam, at="slice_point", value=points, reason="must increase from 1 on"
            )
        if isinstance(size, int) and points[-1] >= size:
            raise Reject(
                codes.BadParam, at="slice_point", value=points,
                reason=f"must end before {size}, the extent of axis {axis}",
            )  # fmt: skip
        return [x.resized(axis, part) for part in [*parts, size - points[-1]]]

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that the tops divide the axis."""
        if not self.points:
            axis, count = self.along(bottoms[0]), self.top_count
            size = bottoms[0].shape[axis]
            reason = f"{count} equal parts do not fit axis {axis} of extent {size}"
            refusal = Reject(
                codes.CountMismatch, at="top", wanted=f"{count} tops", shape=str(bottoms[0]),
                reason=reason,
            )  # fmt: skip
            yield f"axis {axis}", size // count * count, size, 0, refusal
