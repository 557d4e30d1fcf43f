"""ContrastiveLoss in torch."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from netspec.graph import Node

from ..lowering import Lowered, function, unless


def contrastive_loss(a, b, label, margin=1.0, legacy=False):
    """Return Caffe's loss of pairs; its gradient divides by the distance plus 0.0001."""
    near = (a.reshape(len(a), -1) - b.reshape(len(b), -1)).square().sum(1)
    if legacy:
        far = F.relu(margin - near)
    else:
        distance = near.detach().sqrt()
        gap = F.relu(margin - distance)
        far = gap.square() - gap / (distance + 1e-4) * (near - near.detach())
    return torch.where(label.flatten() != 0, near, far).sum() / (2 * a.shape[0])


def lower(node: Node) -> Lowered:
    """Return the loss as a function of the pairs and their labels."""
    layer = node.layer
    margin = unless(float(layer.margin), 1)
    return function(contrastive_loss, margin=margin, legacy=layer.legacy_version or None)
