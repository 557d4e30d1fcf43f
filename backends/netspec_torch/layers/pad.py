"""Pad in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, module
from ..windows import sides


def lower(node: Node) -> Lowered:
    """Return one of torch's padding modules."""
    x, layer = node.bottoms[0].blob, node.layer
    axes, border = len(x.spatial), sides(*layer.border(x))
    if layer.mode == "CONSTANT":
        if layer.value == 0:
            return module(f"nn.ZeroPad{axes}d", border)
        return module(f"nn.ConstantPad{axes}d", border, float(layer.value))
    kind = {"REFLECT": "Reflection", "REPLICATE": "Replication", "CIRCULAR": "Circular"}[layer.mode]
    return module(f"nn.{kind}Pad{axes}d", border)
