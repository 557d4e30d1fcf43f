"""Gather in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, expression


def lower(node: Node) -> Lowered:
    """Return the bottoms."""
    return expression(", ".join(f"{{{index}}}" for index in range(len(node.bottoms))))
