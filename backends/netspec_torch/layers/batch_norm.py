"""BatchNorm in torch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, Refused, module, unless


class CaffeBatchNorm(nn.Module):
    """Caffe's batch normalisation: nothing learned, averages without a trace of their start.

    `factor` is the sum of the weights of all steps averaged so far. `use_global_stats` says
    whether the averages normalise; where it is None they do in eval mode.
    """

    def __init__(self, channels, eps=1e-5, fraction=0.999, use_global_stats=None):
        super().__init__()
        self.eps = eps
        self.fraction = fraction
        self.use_global_stats = use_global_stats
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.zeros(channels))
        self.register_buffer("factor", torch.zeros(1))

    def forward(self, x):
        mean, variance = self.running_mean, self.running_var
        fixed = self.use_global_stats
        if (not self.training) if fixed is None else fixed:
            return F.batch_norm(x, mean, variance, None, None, False, 0.0, self.eps)
        mean, variance = torch.zeros_like(mean), torch.zeros_like(variance)
        if x.numel() > x.shape[1]:
            y = F.batch_norm(x, mean, variance, None, None, True, 1.0, self.eps)
        else:  # one value for each channel: it is its own mean, which torch refuses
            y = x - x
            mean = x.detach().reshape(-1).to(mean.dtype)
        with torch.no_grad():
            self.factor.mul_(self.fraction).add_(1.0)
            step = 1.0 / self.factor
            self.running_mean.lerp_(mean, step)
            self.running_var.lerp_(variance, step)
        return y


class BatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch normalisation whose statistics need not follow the mode.

    They are the averages, or those of each batch, which then also move the averages. One value
    for each channel, which nn.BatchNorm refuses, is its own mean.
    """

    def __init__(self, channels, eps=1e-5, momentum=0.1, use_global_stats=None):
        super().__init__(channels, eps=eps, momentum=momentum)
        self.use_global_stats = use_global_stats

    def _check_input_dim(self, input):
        pass

    def forward(self, input):
        fixed = self.use_global_stats
        batch = self.training if fixed is None else not fixed
        if batch and input.numel() == input.shape[1]:
            with torch.no_grad():
                self.running_mean.lerp_(input.reshape(-1), self.momentum)
                self.running_var.mul_(1.0 - self.momentum)
            return (input - input) * self.weight.view_as(input) + self.bias.view_as(input)
        return F.batch_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias, batch,
            self.momentum if batch else 0.0, self.eps,
        )  # fmt: skip


def least(eps: float) -> float | None:
    """Return eps for torch, None where it is its default; torch refuses 0 in training."""
    return (float(eps) or 1.2e-38) if eps != 1e-5 else None


def lower(node: Node) -> Lowered:
    """Return Caffe's form, or nn.BatchNorm1d, 2d or 3d where it is affine."""
    layer, x = node.layer, node.bottoms[0].blob
    fixed = True if node.frozen else layer.use_global_stats
    eps = least(layer.eps)
    if not layer.scale_bias:
        fraction = float(layer.moving_average_fraction)
        return module(
            CaffeBatchNorm,
            x.channels,
            eps=eps,
            fraction=unless(fraction, 0.999),
            use_global_stats=fixed,
        )
    momentum = round(1.0 - layer.moving_average_fraction, 12)
    momentum = unless(momentum, 0.1)
    if fixed is not None or x.size == x.channels:
        return module(BatchNorm, x.channels, eps=eps, momentum=momentum, use_global_stats=fixed)
    if x.rank > 5:
        raise Refused(f"batch normalisation over {x.rank} axes")
    axes = max(x.rank - 2, 1)
    return module(f"nn.BatchNorm{axes}d", x.channels, eps=eps, momentum=momentum)
