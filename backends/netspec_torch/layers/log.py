"""Log in torch."""

from __future__ import annotations

import math

from netspec.graph import Node

from ..lowering import Lowered, expression, literal
from .power import line


def lower(node: Node) -> Lowered:
    """Return torch.log."""
    layer = node.layer
    text = f"torch.log({line(layer.scale, layer.shift)})"
    if layer.base == -1:
        return expression(text)
    return expression(f"{literal(1.0 / math.log(layer.base))} * {text}")
