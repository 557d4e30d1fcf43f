"""Exp in torch."""

from __future__ import annotations

import math

from netspec.graph import Node

from ..lowering import Lowered, expression
from .power import line


def lower(node: Node) -> Lowered:
    """Return torch.exp."""
    layer = node.layer
    rate = 1.0 if layer.base == -1 else math.log(layer.base)
    return expression(f"torch.exp({line(rate * layer.scale, rate * layer.shift)})")
