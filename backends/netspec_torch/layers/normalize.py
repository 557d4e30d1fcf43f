"""Normalize in torch."""

from __future__ import annotations

import torch
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, module, unless


class Normalize(nn.Module):
    """Divide by the L2 norm of the item or of each pixel, then scale."""

    def __init__(self, shape, across_spatial=True, eps=1e-10):
        super().__init__()
        self.across_spatial = across_spatial
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(shape))

    def forward(self, x):
        axes = tuple(range(1, x.dim())) if self.across_spatial else 1
        energy = (x * x).sum(axes, keepdim=True) + self.eps
        weight = self.weight
        if weight.dim():
            weight = weight[(..., *[None] * (x.dim() - 2))]
        return x * (weight * torch.rsqrt(energy))


def lower(node: Node) -> Lowered:
    """Return a module."""
    layer = node.layer
    return module(
        Normalize,
        tuple(node.weights[0].shape),
        across_spatial=unless(layer.across_spatial, True),
        eps=unless(float(layer.eps), 1e-10),
    )
