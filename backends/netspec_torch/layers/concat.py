"""Concat in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, expression, function


def lower(node: Node) -> Lowered:
    """Return torch.cat; one bottom alone is the top."""
    if len(node.bottoms) == 1:
        return expression("{0}")
    axis = node.layer.along(node.bottoms[0].blob)
    return function("torch.cat", bottoms="[{args}]", dim=axis)
