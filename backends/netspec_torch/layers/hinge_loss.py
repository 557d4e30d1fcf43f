"""HingeLoss in torch."""

from __future__ import annotations

import torch.nn.functional as F

from netspec.graph import Node

from ..lowering import Lowered, function


def hinge_loss(x, label, power=1):
    """Return how far scores are on the wrong side of the margin, averaged over the batch."""
    x = x.reshape(x.shape[0], -1)
    sign = 1 - 2 * F.one_hot(label.long().flatten(), x.shape[1]).to(x.dtype)
    return F.relu(1 + sign * x).pow(power).sum() / x.shape[0]


def lower(node: Node) -> Lowered:
    """Return the loss as a function of scores and labels."""
    return function(hinge_loss, power=2 if node.layer.norm == "L2" else None)
