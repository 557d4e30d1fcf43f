"""ChannelGain in torch."""

from __future__ import annotations

import torch
from torch import nn

from netspec_torch.lowering import module


class Gain(nn.Module):
    """Multiply channels; the first few twice."""

    def __init__(self, channels, first):
        super().__init__()
        self.first = first
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x):
        """Return the scaled blob."""
        gain = torch.cat([self.weight[: self.first] ** 2, self.weight[self.first :]])
        return x * gain.view(1, -1, *[1] * (x.dim() - 2))


def lower(node):
    """Return the module of one layer."""
    return module(Gain, node.bottoms[0].blob.channels, node.layer.first)
