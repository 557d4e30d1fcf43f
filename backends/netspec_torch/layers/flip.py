"""Flip in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, expression, function


def lower(node: Node) -> Lowered:
    """Return torch.flip, or the bottom itself where nothing turns."""
    layer, rank = node.layer, node.bottoms[0].blob.rank
    turned = {2: layer.flip_height, 3: layer.flip_width}
    axes = [axis for axis, turns in turned.items() if turns and axis < rank]
    return function("torch.flip", axes) if axes else expression("{0}")
