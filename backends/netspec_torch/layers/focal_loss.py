"""FocalLoss in torch."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from netspec.graph import Node

from ..lowering import Lowered, function, unless
from .softmax_with_loss import divisor


def focal_loss(x, target, alpha=0.25, gamma=2.0, norm="BATCH_SIZE"):
    """Return the sum of each element's cross entropy, the easy ones counted for less."""
    target = target.detach().to(x.dtype).reshape(x.shape)
    loss = F.binary_cross_entropy_with_logits(x, target, reduction="none")
    p = torch.sigmoid(x)
    wrong = target * (1 - p) + (1 - target) * p
    weight = target * alpha + (1 - target) * (1 - alpha)
    return (weight * wrong.pow(gamma) * loss).sum() / divisor(target == 1, x.shape[0], norm)


focal_loss.uses = (divisor,)


def lower(node: Node) -> Lowered:
    """Return the loss as a function of scores and targets."""
    layer = node.layer
    return function(
        focal_loss,
        alpha=float(layer.alpha),
        gamma=float(layer.gamma),
        norm=unless(layer.normalization, "BATCH_SIZE"),
    )
