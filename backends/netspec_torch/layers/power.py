"""Power in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, expression, literal


def lower(node: Node) -> Lowered:
    """Return a power of a line."""
    layer = node.layer
    text = line(layer.scale, layer.shift)
    if layer.power == 1:
        return expression(text if text != "{0}" else "{0} * 1.0")
    return expression(f"torch.pow({text}, {literal(float(layer.power))})")


def line(scale: float, shift: float) -> str:
    """Return shift + scale * {0} as source."""
    text = "{0}" if scale == 1 else f"{literal(float(scale))} * {{0}}"
    return f"{literal(float(shift))} + {text}" if shift else text
