"""TripletLoss in torch."""

from __future__ import annotations

import torch.nn.functional as F

from netspec.graph import Node

from ..lowering import Lowered, function


def triplet_loss(anchor, positive, negative, margin=0.2):
    """Return by how much the like is not near enough, averaged over the batch."""
    count = anchor.shape[0]
    near = (anchor - positive.reshape(anchor.shape)).square().reshape(count, -1).sum(1)
    far = (anchor - negative.reshape(anchor.shape)).square().reshape(count, -1).sum(1)
    return F.relu(near - far + margin).mean()


def lower(node: Node) -> Lowered:
    """Return the loss as a function of the three bottoms."""
    return function(triplet_loss, margin=float(node.layer.margin))
