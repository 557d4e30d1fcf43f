"""Reshape in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, expression, literal


def lower(node: Node) -> Lowered:
    """Return Tensor.reshape; axes that are kept or copied follow the tensor, whatever its size."""
    x, layer = node.bottoms[0].blob, node.layer
    start, end = layer.span(x)
    dims = [f"{{0}}.size({axis})" for axis in range(start)]
    for place, dim in enumerate(layer.dims()):
        dims.append(f"{{0}}.size({start + place})" if _is(dim, 0) else literal(dim))
    dims += [f"{{0}}.size({axis})" for axis in range(end, x.rank)]
    return expression(f"{{0}}.reshape({', '.join(dims) or '()'})")


def _is(dim: object, number: int) -> bool:
    return type(dim) is int and dim == number
