"""Threshold in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, expression, literal


def lower(node: Node) -> Lowered:
    """Return a comparison as numbers."""
    return expression(f"({{0}} > {literal(float(node.layer.threshold))}).to({{0}}.dtype)")
