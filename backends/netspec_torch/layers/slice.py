"""Slice in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, expression, function


def lower(node: Node) -> Lowered:
    """Return torch.chunk for equal parts, and torch.tensor_split at the slice points."""
    layer, count = node.layer, len(node.tops)
    axis = layer.along(node.bottoms[0].blob)
    if count == 1:
        return expression("{0}")
    if layer.points:
        return function("torch.tensor_split", tuple(layer.points), dim=axis)
    return function("torch.chunk", count, dim=axis)
