"""SigmoidCrossEntropyLoss in torch."""

from __future__ import annotations

import torch.nn.functional as F

from netspec.graph import Node

from ..lowering import Lowered, function, unless
from .softmax_with_loss import counted, divisor


def sigmoid_cross_entropy_loss(x, target, norm="BATCH_SIZE", ignore_label=None):
    """Return the sum of each element's cross entropy over those not ignored, divided."""
    target = target.detach().to(x.dtype).reshape(x.shape)
    loss = F.binary_cross_entropy_with_logits(x, target, reduction="none")
    kept = counted(target.long(), ignore_label)
    return loss.where(kept, 0).sum() / divisor(kept, x.shape[0], norm)


sigmoid_cross_entropy_loss.uses = (counted, divisor)


def lower(node: Node) -> Lowered:
    """Return the loss as a function of scores and targets."""
    layer = node.layer
    norm = unless(layer.norm, "BATCH_SIZE")
    return function(sigmoid_cross_entropy_loss, norm=norm, ignore_label=layer.ignore_label)
