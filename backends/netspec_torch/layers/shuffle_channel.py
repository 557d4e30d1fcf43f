"""ShuffleChannel in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, module


def lower(node: Node) -> Lowered:
    """Return nn.ChannelShuffle."""
    return module("nn.ChannelShuffle", node.layer.group)
