"""SmoothL1LossOHEM in torch."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from netspec.graph import Node

from ..lowering import Lowered, function, unless


class Weighed(torch.autograd.Function):
    """A product whose gradient passes as if the weights were 1."""

    @staticmethod
    def forward(ctx, x, weight):
        return x * weight

    @staticmethod
    def backward(ctx, grad):
        return grad, None


def smooth_l1_loss_ohem(x, target, weight=None, tops=1, norm="VALID", fixed=1.0):
    """Return the sum of smooth distances, divided, and with two tops what each item costs."""
    shape = *x.shape, *[1] * (4 - x.dim())
    d = x.reshape(shape) - target.reshape(shape)
    if weight is not None:
        d = Weighed.apply(d, weight.detach().to(x.dtype).reshape(shape))
    each = F.smooth_l1_loss(d, d.new_zeros(()).expand_as(d), reduction="none")
    if norm in ("FULL", "VALID"):
        fixed = shape[0] * math.prod(shape[2:])
    elif norm == "BATCH_SIZE":
        fixed = shape[0]
    loss = each.sum() / max(fixed, 1)
    return loss if tops == 1 else (loss, each.detach().sum(1, keepdim=True))


smooth_l1_loss_ohem.uses = (Weighed,)


def lower(node: Node) -> Lowered:
    """Return the loss as a function of all bottoms."""
    layer = node.layer
    fixed = float(layer.pre_fixed_normalizer) if layer.norm == "PRE_FIXED" else 1.0
    return function(
        smooth_l1_loss_ohem,
        tops=unless(len(node.tops), 1),
        norm=unless(layer.norm, "VALID"),
        fixed=unless(fixed, 1.0),
    )
