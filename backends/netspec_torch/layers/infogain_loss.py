"""InfogainLoss in torch."""

from __future__ import annotations

import math

import torch.nn.functional as F

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, Refused, function, unless
from .softmax_with_loss import counted, divisor


def infogain_loss(x, label, matrix, axis=1, norm="VALID", ignore_label=None, both=False):
    """Return the mean of -sum of H[label] * log p over the labels that are not ignored.

    As in Caffe p counts as at least 1e-20, and the gradient is not cut there.
    """
    score = F.log_softmax(x, axis).movedim(axis, -1)
    score = score + (score.detach().clamp(min=math.log(1e-20)) - score.detach())
    label = label.long().reshape(score.shape[:-1])
    kept = counted(label, ignore_label)
    rows = matrix.reshape(score.shape[-1], -1)[label.where(kept, 0)]
    loss = -(rows * score).sum(-1).where(kept, 0).sum()
    loss = loss / divisor(kept, math.prod(x.shape[:axis]), norm)
    return (loss, F.softmax(x, axis)) if both else loss


infogain_loss.uses = (counted, divisor)


def lower(node: Node) -> Lowered:
    """Return the loss as a function of scores, labels and H."""
    layer = node.layer
    if len(node.bottoms) == 2:
        raise Refused("it reads no `source` file: give H as a third bottom")
    axis = canonical_axis(layer, "axis", node.bottoms[0].blob)
    return function(
        infogain_loss,
        axis=unless(axis, 1),
        norm=unless(layer.norm, "VALID"),
        ignore_label=layer.ignore_label,
        both=True if len(node.tops) == 2 else None,
    )
