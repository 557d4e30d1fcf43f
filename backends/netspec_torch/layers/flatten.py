"""Flatten in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, function


def lower(node: Node) -> Lowered:
    """Return torch.flatten."""
    x = node.bottoms[0].blob
    first, last = node.layer.span(x)
    return function("torch.flatten", first, *([last] if last != x.rank - 1 else []))
