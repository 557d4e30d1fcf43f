"""CrossEntropyLoss in torch."""

from __future__ import annotations

import torch.nn.functional as F

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, function, unless


def cross_entropy_loss(x, label, axis=1, smoothing=0.0, ignore_label=-100):
    """Return F.cross_entropy of the scores along an axis."""
    x = x.movedim(axis, -1)
    return F.cross_entropy(
        x.reshape(-1, x.shape[-1]),
        label.long().flatten(),
        ignore_index=ignore_label,
        label_smoothing=smoothing,
    )


def lower(node: Node) -> Lowered:
    """Return the loss as a function of scores and labels."""
    layer = node.layer
    axis = canonical_axis(layer, "axis", node.bottoms[0].blob)
    return function(
        cross_entropy_loss,
        axis=unless(axis, 1),
        smoothing=float(layer.label_smoothing) if layer.label_smoothing else None,
        ignore_label=layer.ignore_label,
    )
