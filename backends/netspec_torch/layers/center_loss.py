"""CenterLoss in torch."""

from __future__ import annotations

import math

import torch
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, module


class CenterDistance(torch.autograd.Function):
    """Half the mean squared distance; the centers get their mean pull, not a derivative."""

    @staticmethod
    def forward(ctx, x, label, centers):
        d = x - centers[label]
        ctx.save_for_backward(d, label, centers)
        return d.square().sum() / (2 * x.shape[0])

    @staticmethod
    def backward(ctx, grad):
        d, label, centers = ctx.saved_tensors
        pull = torch.zeros_like(centers).index_add(0, label, -d)
        count = d.new_ones(centers.shape[0]).index_add(0, label, d.new_ones(d.shape[0]))
        return grad * d / d.shape[0], None, pull / count[:, None]


class CenterLoss(nn.Module):
    """The centers of classes, and how far items are from theirs."""

    uses = (CenterDistance,)

    def __init__(self, classes, units):
        super().__init__()
        self.centers = nn.Parameter(torch.zeros(classes, units))

    def forward(self, x, label):
        return CenterDistance.apply(x.flatten(1), label.reshape(-1).long(), self.centers)


def lower(node: Node) -> Lowered:
    """Return the module that holds the centers."""
    return module(CenterLoss, node.layer.num_output, math.prod(node.bottoms[0].blob.shape[1:]))
