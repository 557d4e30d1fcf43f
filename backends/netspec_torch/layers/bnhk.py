"""BNHK in torch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, module, unless
from .batch_norm import least


class BNHK(nn.Module):
    """Batch normalisation whose average variance is divided by all elements and starts at 0.

    With `frozen` the averages normalise in training too, and nothing is learned.
    """

    def __init__(self, channels, eps=1e-5, momentum=0.9, frozen=False):
        super().__init__()
        self.eps, self.momentum, self.frozen = eps, momentum, frozen
        self.weight = nn.Parameter(torch.ones(1, channels))
        self.bias = nn.Parameter(torch.zeros(1, channels))
        self.register_buffer("running_mean", torch.zeros(1, channels))
        self.register_buffer("running_var", torch.full((1, channels), float(frozen)))

    def forward(self, x):
        weight, bias = self.weight[0], self.bias[0]
        if self.frozen or not self.training:
            mean, variance = self.running_mean[0], self.running_var[0]
            return F.batch_norm(x, mean, variance, weight, bias, False, 0.0, self.eps)
        axes = [0, *range(2, x.dim())]
        with torch.no_grad():
            variance, mean = torch.var_mean(x, axes, correction=0)
            self.running_mean.mul_(self.momentum).add_(mean, alpha=1 - self.momentum)
            self.running_var.mul_(self.momentum).add_(variance, alpha=1 - self.momentum)
        if x.numel() > x.shape[1]:
            return F.batch_norm(x, None, None, weight, bias, True, 0.0, self.eps)
        return (x - x) * weight.view_as(x) + bias.view_as(x)  # each value is its own mean


def lower(node: Node) -> Lowered:
    """Return the module with factor, offset and averages."""
    layer = node.layer
    return module(
        BNHK,
        node.bottoms[0].blob.channels,
        eps=least(layer.eps),
        momentum=unless(float(layer.momentum), 0.9),
        frozen=layer.frozen or node.frozen or None,
    )
