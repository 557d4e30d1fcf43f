"""PositionalEmbedding in torch."""

from __future__ import annotations

import torch
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, function, module


class PositionalEmbedding(nn.Embedding):
    """Add the vector of its position to each element of a sequence."""

    def forward(self, x):
        return x + self.weight[: x.shape[1]]


def sine_positions(x):
    """Add the sine and cosine of its position at wavelengths of 2 pi to 20000 pi."""
    length, size = x.shape[1], x.shape[2]
    position = torch.arange(length, dtype=torch.float64, device=x.device)[:, None]
    even = torch.arange(0, size, 2, dtype=torch.float64, device=x.device)
    angle = position / 10000.0 ** (even / size)
    pairs = torch.stack([angle.sin(), angle.cos()], 2).flatten(1)
    return x + pairs[:, :size].to(x.dtype)


def lower(node: Node) -> Lowered:
    """Return learned vectors, or the sines."""
    if node.layer.method == "SINE":
        return function(sine_positions)
    return module(PositionalEmbedding, *node.weights[0].shape)
