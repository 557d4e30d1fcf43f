"""Split in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, expression


def lower(node: Node) -> Lowered:
    """Return the bottom once for each top."""
    return expression(", ".join(["{0}"] * len(node.tops)))
