"""Maxout in torch."""

from __future__ import annotations

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, expression


def lower(node: Node) -> Lowered:
    """Return the maximum over the pieces."""
    layer = node.layer
    axis = canonical_axis(layer, "axis", node.bottoms[0].blob)
    pieces = int(layer.pieces)
    return expression(f"{{0}}.unflatten({axis}, ({pieces}, -1)).amax({axis})")
