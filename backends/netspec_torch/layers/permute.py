"""Permute in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, function


def lower(node: Node) -> Lowered:
    """Return torch.permute."""
    return function("torch.permute", tuple(node.layer.axes(node.bottoms[0].blob)))
