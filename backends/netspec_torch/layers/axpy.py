"""Axpy in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, expression


def lower(node: Node) -> Lowered:
    """Return a scaled sum."""
    a, x = node.bottoms[0].blob, node.bottoms[1].blob
    ones = ", ".join(["None"] * (x.rank - 2))
    flat = f"{{0}}.flatten(1)[:, :, {ones}]" if ones else "{0}.flatten(1)"
    factor = "{0}" if a.rank == x.rank else flat
    return expression(f"{factor} * {{1}} + {{2}}")
