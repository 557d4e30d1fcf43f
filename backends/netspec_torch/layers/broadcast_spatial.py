"""BroadcastSpatial in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, expression, literal


def lower(node: Node) -> Lowered:
    """Return the vector, expanded to the extents of the top."""
    x = node.bottoms[0].blob
    top = node.tops[0].blob
    axes = top.rank - 2
    flat = "{0}" if x.rank == 2 else "{0}.flatten(1)"
    ones = ", ".join([":", ":", *["None"] * axes])
    if len(node.bottoms) == 2:
        sizes = "*{1}.shape[2:]"
    else:
        sizes = ", ".join(literal(size) for size in top.spatial)
    return expression(f"{flat}[{ones}].expand(-1, -1, {sizes})" if axes else flat)
