"""SoftmaxWithLossOHEM in torch."""

from __future__ import annotations

import torch.nn.functional as F

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, function, unless
from .softmax_with_loss import counted, softmax_with_loss


def softmax_with_loss_ohem(x, label, tops=3, axis=1, norm="VALID", ignore_label=None, fixed=1.0):
    """Return the loss, the probabilities, and what each label costs: as many as `tops`."""
    loss = softmax_with_loss(x, label, axis, "NONE" if norm == "PRE_FIXED" else norm, ignore_label)
    if norm == "PRE_FIXED":
        loss = loss / max(fixed, 1.0)
    if tops == 1:
        return loss
    p = F.softmax(x.detach(), axis)
    if tops == 2:
        return loss, p
    index = label.long()
    kept = counted(index, ignore_label)
    rows = p.movedim(axis, -1).reshape(-1, p.shape[axis])
    each = rows.gather(1, index.where(kept, 0).reshape(-1, 1)).clamp(min=1.17549435e-38).log()
    return loss, p, -each.reshape(label.shape).where(kept, 0)


softmax_with_loss_ohem.uses = (counted, softmax_with_loss)


def lower(node: Node) -> Lowered:
    """Return the loss as a function of scores and labels."""
    layer = node.layer
    axis = canonical_axis(layer, "axis", node.bottoms[0].blob)
    fixed = float(layer.pre_fixed_normalizer) if layer.norm == "PRE_FIXED" else 1.0
    return function(
        softmax_with_loss_ohem,
        tops=unless(len(node.tops), 3),
        axis=unless(axis, 1),
        norm=unless(layer.norm, "VALID"),
        ignore_label=layer.ignore_label,
        fixed=unless(fixed, 1.0),
    )
