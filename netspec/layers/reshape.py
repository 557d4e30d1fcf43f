"""Reshape."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import product
from ..layer import Layer, Reject, Shape, listed, param
from .input import sizes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size
    from ..layer import Agreement

_DIM = {"type": ["integer", "string"], "minimum": -1}
_DIMS = {"dim": {"type": ["array", "integer", "string"], "items": _DIM, "minimum": -1}}


class Reshape(Layer):
    """Give the elements of the bottom, in their order, another shape.

    Of `shape`, 0 copies the extent of the bottom's axis at the same place counted from `axis`,
    and one -1 is what the others leave.

    Shape   S  ->  S[:axis] x shape x S[axis+num_axes:]
    Rejects E406 if the shape does not hold the elements of the bottom
            E405 if the axes that are replaced are not axes of the bottom
            E413 if a 0 has no axis to copy, or -1 is given twice
    Source  BVLC/caffe, src/caffe/layers/reshape_layer.cpp
    """

    family = "structure"
    reads = "any"
    in_place = False

    shape: Shape = param(
        default=None, properties=_DIMS, items=_DIM, doc="extents; 0 copies one, one -1 is inferred"
    )
    axis: int = param(default=0, doc="the first axis replaced; -1 is after the last")
    num_axes: int = param(default=-1, minimum=-1, doc="how many axes are replaced; -1: the rest")

    def span(self, blob: Blob) -> tuple[int, int]:
        """Return the first axis replaced and the first kept after it."""
        start = self.axis if self.axis >= 0 else blob.rank + self.axis + 1
        end = blob.rank if self.num_axes == -1 else start + self.num_axes
        for at, axis in ("axis", start), ("num_axes", end):
            if not 0 <= axis <= blob.rank:
                raise Reject(
                    codes.AxisOutOfRange, at=at, value=getattr(self, at), rank=blob.rank,
                    shape=str(blob),
                )  # fmt: skip
        return start, end

    def dims(self) -> list[Size]:
        """Return `shape` as written, its sizes parsed."""
        dims = sizes("shape", self.shape if self.shape is not None else [])
        if sum(type(dim) is int and dim == -1 for dim in dims) > 1:
            raise self.wrong("has more than one -1")
        return dims

    def wrong(self, reason: str) -> Reject:
        """Return the refusal of `shape`."""
        return Reject(codes.BadParam, at="shape", value=_written(self.shape), reason=reason)

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the new shape."""
        x = bottoms[0]
        start, end = self.span(x)
        left, made, middle = self.matched(x)
        middle = [left // made if type(dim) is int and dim == -1 else dim for dim in middle]
        return Blob((*x.shape[:start], *middle, *x.shape[end:]), x.dtype)

    def matched(self, x: Blob) -> tuple[Size, Size, list[Size]]:
        """Return the elements replaced, the elements made in their place, and the new axes.

        An axis that is copied where it stands is left out of both counts; a -1 out of the second.
        """
        start, end = self.span(x)
        middle = self.dims()
        left = list(range(start, end))
        made: list[Size] = []
        for place, dim in enumerate(middle):
            axis = start + place
            if type(dim) is int and dim == 0:
                if axis >= x.rank:
                    raise self.wrong(f"copies axis {axis} of a bottom that has {x.rank}: {x}")
                middle[place] = x.shape[axis]
                if axis in left:
                    left.remove(axis)
                    continue
            if not (type(dim) is int and dim == -1):
                made.append(middle[place])
        return product(x.shape[axis] for axis in left), product(made), middle

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that the new shape holds as many elements as the old one."""
        x = bottoms[0]
        left, made, middle = self.matched(x)
        whole: Size = made
        reason = f"{left} elements are not {made}"
        if any(type(dim) is int and dim == -1 for dim in middle):
            whole = made * (left // made)
            reason = f"{made} does not divide {left}"
        wanted = _written(self.shape)
        refusal = Reject(
            codes.CountMismatch, at="shape", wanted=wanted, shape=str(x) or "a scalar",
            reason=reason,
        )  # fmt: skip
        yield "the count", left, whole, 0, refusal


def _written(shape: object) -> str:
    dims = shape.get("dim", []) if isinstance(shape, dict) else shape
    return f"[{', '.join(map(str, listed(dims)))}]"
