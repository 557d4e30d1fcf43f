"""Filter in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, expression


def lower(node: Node) -> Lowered:
    """Return the items whose selector is not zero."""
    last = len(node.bottoms) - 1
    keep = f"{{{last}}}.flatten() != 0"
    return expression(", ".join(f"{{{index}}}[{keep}]" for index in range(last)))
