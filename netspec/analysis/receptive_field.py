"""Receptive fields: how much of the input one element of a blob sees."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..graph import Node, Value
    from ..net import Net

TRANSPOSED = frozenset({"Deconvolution"})


class Field:
    """What one element of a blob sees, for each spatial axis, in elements of the input.

    `stride` is the step between the fields of two neighbours; `offset` is where the centre of
    the first one lies, from the centre of the input's first element. All three are exact.
    """

    __slots__ = ("offset", "size", "stride")

    def __init__(self, size: Sequence[Any], stride: Sequence[Any], offset: Sequence[Any]) -> None:
        self.size = tuple(size)
        self.stride = tuple(stride)
        self.offset = tuple(offset)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Field):
            return NotImplemented
        return (self.size, self.stride, self.offset) == (other.size, other.stride, other.offset)

    def __hash__(self) -> int:
        return hash((self.size, self.stride, self.offset))

    def __repr__(self) -> str:
        return f"Field(size={self.size}, stride={self.stride}, offset={self.offset})"


def fields(net: Net, choose: Callable[..., Any] = max) -> dict[int, Field | None]:
    """Return the receptive field of every value of a net, by its id; None where unknown.

    A layer without a window keeps the field where it keeps the spatial extents; else what its
    tops see is not a window of the input, and unknown. Branches that meet give the largest, or
    what else `choose` picks.
    """
    found: dict[int, Field | None] = {}
    for value in net.flat.inputs.values():
        found[id(value)] = _start(value)
    for node in net.flat.nodes:
        field = _through(node, found, choose)
        for top in node.tops:
            found[id(top)] = _start(top) if node.layer.source else field
    return found


def largest(net: Net) -> Field | None:
    """Return the largest receptive field of any blob of a net that has one."""
    best: Field | None = None
    for field in fields(net).values():
        if field is not None and (best is None or field.size > best.size):
            best = field
    return best


def _start(value: Value) -> Field | None:
    axes = value.blob.rank - 2 if value.blob else 0
    return Field((1,) * axes, (1,) * axes, (0,) * axes) if axes > 0 else None


def _through(
    node: Node, found: dict[int, Field | None], choose: Callable[..., Any] = max
) -> Field | None:
    if not node.bottoms or not node.tops or node.tops[0].blob is None:
        return None
    known = [found.get(id(value)) for value in node.bottoms]
    blobs = [value.blob for value in node.bottoms if value.blob is not None]
    first = known[0]
    if len(blobs) < len(known):
        return None
    window = node.layer.window(*blobs)
    if window is not None:
        if first is None or len(window.kernel) != len(first.size):
            return None
        if not all(type(extent) is int for extent in window.kernel):
            return None  # as large as a symbolic bottom
        if node.type in TRANSPOSED:
            return _transposed(first, window)
        reach = zip(window.extent, window.stride, window.pad, strict=True)
        size, stride, offset = [], [], []
        for axis, (extent, step, pad) in enumerate(reach):
            size.append(first.size[axis] + (extent - 1) * first.stride[axis])
            stride.append(first.stride[axis] * step)
            offset.append(_exact(2 * first.offset[axis] + (extent - 1 - 2 * pad)
                                 * first.stride[axis], 2))  # fmt: skip
        return Field(size, stride, offset)
    spatial = node.tops[0].blob.shape[2:]
    sized = [field for field, blob in zip(known, blobs, strict=True) if blob.shape[2:] == spatial]
    if not sized or not spatial or any(field is None for field in sized):
        return None
    kept: Field = choose(filter(None, sized), key=lambda field: field.size)
    return kept


def _transposed(field: Field, window: Any) -> Field:
    """Return the field after a transposed window: each top element has ceil(k / s) sources."""
    size, stride, offset = [], [], []
    for axis, (extent, step, pad) in enumerate(
        zip(window.extent, window.stride, window.pad, strict=True)
    ):
        sources = -(-extent // step)
        size.append(field.size[axis] + (sources - 1) * field.stride[axis])
        stride.append(_exact(field.stride[axis], step))
        centre = 2 * pad - (extent - 1)
        offset.append(field.offset[axis] + _exact(centre * field.stride[axis], 2 * step))
    return Field(size, stride, offset)


def _exact(numerator: Any, denominator: int) -> Any:
    """Return a quotient: whole where it is, a Fraction else."""
    if type(numerator) is int and numerator % denominator == 0:
        return numerator // denominator
    from fractions import Fraction

    quotient = Fraction(numerator) / denominator
    return quotient.numerator if quotient.denominator == 1 else quotient
