"""GLU in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, module


def lower(node: Node) -> Lowered:
    """Return nn.GLU."""
    return module("nn.GLU", dim=node.layer.axis)
