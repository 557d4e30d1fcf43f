"""Tile in torch."""

from __future__ import annotations

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, function


def lower(node: Node) -> Lowered:
    """Return torch.tile."""
    x, layer = node.bottoms[0].blob, node.layer
    after = x.rank - 1 - canonical_axis(layer, "axis", x)
    return function("torch.tile", (layer.tiles, *(1,) * after))
