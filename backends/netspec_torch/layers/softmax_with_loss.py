"""SoftmaxWithLoss in torch."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, function, unless


def counted(label, ignore_label):
    """Return where a label is not ignored."""
    if ignore_label is None:
        return torch.ones_like(label, dtype=torch.bool)
    return label != ignore_label


def divisor(kept, outer, norm):
    """Return what divides a sum of losses: never less than 1."""
    if norm == "VALID":
        return kept.sum().clamp(min=1)
    return max({"FULL": kept.numel(), "BATCH_SIZE": outer, "NONE": 1}[norm], 1)


def softmax_with_loss(x, label, axis=1, norm="VALID", ignore_label=None):
    """Return the mean of -log(p[label]) over the labels that are not ignored.

    As in Caffe p counts as at least the smallest float32, and the gradient is not cut there.
    """
    score = F.log_softmax(x, axis).movedim(axis, -1)
    label = label.long().reshape(score.shape[:-1])
    kept = counted(label, ignore_label)
    picked = score.gather(-1, label.where(kept, 0).unsqueeze(-1)).squeeze(-1)
    picked = picked + (picked.detach().clamp(min=math.log(1.17549435e-38)) - picked.detach())
    return -picked.where(kept, 0).sum() / divisor(kept, math.prod(x.shape[:axis]), norm)


softmax_with_loss.uses = (counted, divisor)


def lower(node: Node) -> Lowered:
    """Return the loss as a function of scores and labels."""
    layer = node.layer
    axis = canonical_axis(layer, "axis", node.bottoms[0].blob)
    return function(
        softmax_with_loss,
        axis=unless(axis, 1),
        norm=unless(layer.norm, "VALID"),
        ignore_label=layer.ignore_label,
    )
