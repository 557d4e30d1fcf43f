"""Snake in torch."""

import torch
from torch import nn

from netspec_torch.lowering import module


class Snake(nn.Module):
    """x + sin(a x)^2 / a, with a learned for each channel."""

    def __init__(self, channels, start):
        super().__init__()
        self.a = nn.Parameter(torch.full((channels,), start))

    def forward(self, x):
        a = self.a.view(1, -1, *[1] * (x.dim() - 2))
        return x + (a * x).sin().square() / a


def lower(node):
    """Return the module."""
    return module(Snake, node.bottoms[0].blob.channels, node.layer.start)
