"""GELU in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, module, unless


def lower(node: Node) -> Lowered:
    """Return nn.GELU."""
    approximate = node.layer.approximate
    return module("nn.GELU", approximate=unless(approximate, "none"))
