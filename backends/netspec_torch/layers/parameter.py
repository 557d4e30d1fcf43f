"""Parameter in torch."""

from __future__ import annotations

import torch
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, module


class LearnedBlob(nn.Module):
    """A tensor that is learned, and starts at zero."""

    def __init__(self, *shape):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))

    def forward(self):
        return self.weight


def lower(node: Node) -> Lowered:
    """Return the tensor."""
    return module(LearnedBlob, *node.weights[0].shape)
