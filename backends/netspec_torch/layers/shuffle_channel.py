"""ShuffleChannel in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, expression, module


def lower(node: Node) -> Lowered:
    """Return nn.ChannelShuffle, which needs spatial axes."""
    group, rank = node.layer.group, node.bottoms[0].blob.rank
    if rank > 2:
        return module("nn.ChannelShuffle", group)
    return expression(f"{{0}}.unflatten(1, ({group}, -1)).transpose(1, 2).flatten(1)")
