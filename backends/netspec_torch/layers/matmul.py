"""MatMul in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, expression, literal


def lower(node: Node) -> Lowered:
    """Return torch.matmul."""
    layer = node.layer
    a = "{0}.transpose(-2, -1)" if layer.transpose_a else "{0}"
    b = "{1}.transpose(-2, -1)" if layer.transpose_b else "{1}"
    text = f"torch.matmul({a}, {b})"
    return expression(text if layer.scale == 1 else f"{literal(float(layer.scale))} * {text}")
