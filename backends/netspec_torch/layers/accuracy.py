"""Accuracy in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, function, unless
from .softmax_with_loss import counted


def accuracy(x, label, axis=1, top_k=1, ignore_label=None, each=False):
    """Return how often fewer than `top_k` other classes score as high as the label or higher."""
    with torch.no_grad():
        score = x.movedim(axis, -1)
        label = label.long().reshape(score.shape[:-1])
        kept = counted(label, ignore_label)
        label = label.where(kept, 0).unsqueeze(-1)
        rank = (score >= score.gather(-1, label)).sum(-1)  # 1 where none is as high
        hit = ((rank <= top_k) & kept).to(x.dtype)
        total = hit.sum() / kept.sum().clamp(min=1)
        if not each:
            return total
        zeros = x.new_zeros(score.shape[-1])
        hits = zeros.index_add(0, label.flatten(), hit.flatten())
        counts = zeros.index_add(0, label.flatten(), kept.flatten().to(x.dtype))
        return total, hits / counts.clamp(min=1)


accuracy.uses = (counted,)


def lower(node: Node) -> Lowered:
    """Return the accuracy as a function of scores and labels."""
    layer = node.layer
    axis = canonical_axis(layer, "axis", node.bottoms[0].blob)
    return function(
        accuracy,
        axis=unless(axis, 1),
        top_k=unless(layer.top_k, 1),
        ignore_label=layer.ignore_label,
        each=True if len(node.tops) == 2 else None,
    )
