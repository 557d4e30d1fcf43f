"""GaussianSample in torch."""

from __future__ import annotations

import torch
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, module


class GaussianSample(nn.Module):
    """Draw from N(mu, exp(logvar)) in training; give mu in eval mode."""

    def forward(self, mu, logvar):
        if not self.training:
            return mu
        return mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)


def lower(node: Node) -> Lowered:
    """Return a module."""
    return module(GaussianSample)
