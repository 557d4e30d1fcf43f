"""ConditionalBatchNorm in torch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, module, unless
from .batch_norm import least


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation with a factor and an offset for each class."""

    def __init__(self, classes, channels, eps=1e-5, momentum=0.1, fixed=False):
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.fixed = fixed
        self.weight = nn.Parameter(torch.ones(classes, channels))
        self.bias = nn.Parameter(torch.zeros(classes, channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x, label):
        batch = self.training and not self.fixed
        if batch and x.numel() == x.shape[1]:  # each value is its own mean: torch refuses it
            with torch.no_grad():
                self.running_mean.lerp_(x.reshape(-1), self.momentum)
                self.running_var.mul_(1.0 - self.momentum)
            y = x - x
        else:
            y = F.batch_norm(
                x, self.running_mean, self.running_var, None, None, batch, self.momentum, self.eps
            )
        label, axes = label.long(), (..., *[None] * (x.dim() - 2))
        return torch.addcmul(self.bias[label][axes], y, self.weight[label][axes])


def lower(node: Node) -> Lowered:
    """Return a module."""
    layer = node.layer
    momentum = round(1.0 - layer.moving_average_fraction, 12)
    return module(
        ConditionalBatchNorm,
        int(layer.num_classes),
        node.bottoms[0].blob.channels,
        eps=least(layer.eps),
        momentum=unless(momentum, 0.1),
        fixed=node.frozen or None,
    )
