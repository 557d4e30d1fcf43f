"""SelfAttention in torch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, module, unless


class PixelMatrix(nn.Conv2d):
    """A 1 x 1 convolution without offsets, divided by its spectral norm where that is asked."""

    def __init__(self, inputs, outputs, spectral_norm=False):
        super().__init__(inputs, outputs, 1, bias=False)
        u = F.normalize(torch.randn(outputs), dim=0) if spectral_norm else None
        self.register_buffer("u", u)

    def forward(self, x):
        if self.u is None:
            return super().forward(x)
        matrix = self.weight.flatten(1)
        with torch.no_grad():
            v = F.normalize(torch.mv(matrix.t(), self.u), dim=0)
            u = F.normalize(torch.mv(matrix, v), dim=0)
            if self.training:
                self.u.copy_(u)
        return F.conv2d(x, self.weight / torch.dot(u, torch.mv(matrix, v)))


class SelfAttention(nn.Module):
    """Add to each pixel what it sees of all pixels, scaled by a learned sigma."""

    uses = (PixelMatrix,)

    def __init__(self, channels, keys, values, pool=True, spectral_norm=False):
        super().__init__()
        self.pool = pool
        self.theta = PixelMatrix(channels, keys, spectral_norm)
        self.phi = PixelMatrix(channels, keys, spectral_norm)
        self.g = PixelMatrix(channels, values, spectral_norm)
        self.o = PixelMatrix(values, channels, spectral_norm)
        self.sigma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        theta, phi, g = self.theta(x), self.phi(x), self.g(x)
        if self.pool:
            phi, g = F.max_pool2d(phi, 2), F.max_pool2d(g, 2)
        seen = torch.softmax(theta.flatten(2).transpose(1, 2) @ phi.flatten(2), 2)
        y = g.flatten(2) @ seen.transpose(1, 2)
        return x + self.sigma * self.o(y.unflatten(2, x.shape[2:]))


def lower(node: Node) -> Lowered:
    """Return the attention of SAGAN."""
    layer = node.layer
    channels = node.bottoms[0].blob.channels
    return module(
        SelfAttention,
        channels,
        channels // layer.reduction,
        channels // layer.value_reduction,
        pool=unless(layer.pool, True),
        spectral_norm=layer.spectral or None,
    )
