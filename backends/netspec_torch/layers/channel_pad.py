"""ChannelPad in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, function


def lower(node: Node) -> Lowered:
    """Return F.pad over the channels."""
    x, layer = node.bottoms[0].blob, node.layer
    after = layer.pad_end if layer.num_output is None else layer.num_output - x.channels
    return function("F.pad", (*[0] * (2 * (x.rank - 2)), layer.pad_begin, after))
