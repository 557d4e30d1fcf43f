"""PReLU in torch."""

from __future__ import annotations

from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, module


class SharedPReLU(nn.PReLU):
    """PReLU with one slope, which has no axis, as in Caffe."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(self.weight.detach()[0])


def lower(node: Node) -> Lowered:
    """Return nn.PReLU."""
    if node.layer.channel_shared:
        return module(SharedPReLU)
    return module("nn.PReLU", node.bottoms[0].blob.channels)
