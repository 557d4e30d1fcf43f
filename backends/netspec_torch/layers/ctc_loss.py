"""CTCLoss in torch."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from netspec.graph import Node

from ..lowering import Lowered, function


def ctc_loss(x, label, steps=None, lengths=None, blank=0, zero_infinity=False):
    """Return the cost of the label sequences, averaged over the batch."""
    label = label.long()
    if steps is None:
        steps = torch.full_like(label[:, 0], x.shape[0])
    if lengths is None:
        lengths = ((label >= 0) & (label != blank)).long().cumprod(1).sum(1)
    score = F.log_softmax(x, 2)
    loss = F.ctc_loss(score, label, steps.long(), lengths.long(), blank, "sum", zero_infinity)
    return loss / x.shape[1]


def lower(node: Node) -> Lowered:
    """Return the loss as a function of all bottoms."""
    layer = node.layer
    return function(ctc_loss, blank=layer.blank or None, zero_infinity=layer.zero_infinity or None)
