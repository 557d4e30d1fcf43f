"""Crop in torch."""

from __future__ import annotations

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, expression


def lower(node: Node) -> Lowered:
    """Return a slice."""
    x, layer = node.bottoms[0].blob, node.layer
    axis = canonical_axis(layer, "axis", x)
    cuts = [":"] * axis
    for index, offset in enumerate(layer.offsets(x), axis):
        end = f"{{1}}.shape[{index}]"
        cuts.append(f"{offset} : {offset} + {end}" if offset else f": {end}")
    return expression(f"{{0}}[{', '.join(cuts)}]")
