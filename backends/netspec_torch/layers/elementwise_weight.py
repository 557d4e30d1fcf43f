"""ElementwiseWeight in torch."""

from __future__ import annotations

import torch
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, module


class ElementwiseWeight(nn.Module):
    """A factor for each element of an item."""

    def __init__(self, *shape):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape))

    def forward(self, x):
        return self.weight * x


def lower(node: Node) -> Lowered:
    """Return the product with the learned factors."""
    return module(ElementwiseWeight, *node.weights[0].shape)
