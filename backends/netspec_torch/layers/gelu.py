"""GELU in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, module


def lower(node: Node) -> Lowered:
    """Return nn.GELU."""
    approximate = node.layer.approximate
    return module("nn.GELU", approximate=approximate if approximate != "none" else None)
