"""SmoothL1Loss in torch."""

from __future__ import annotations

import torch.nn.functional as F

from netspec.graph import Node

from ..lowering import Lowered, function, unless


def smooth_l1_loss(x, target, inside=None, outside=None, sigma=1.0):
    """Return the weighted sum of smooth distances of an item, averaged over the batch."""
    d = x - target.reshape(x.shape)
    if inside is not None:
        d = inside.to(x.dtype).reshape(x.shape) * d
    loss = F.smooth_l1_loss(d, d.new_zeros(()).expand_as(d), reduction="none", beta=sigma**-2)
    if outside is not None:
        loss = outside.to(x.dtype).reshape(x.shape) * loss
    return loss.sum() / x.shape[0]


def lower(node: Node) -> Lowered:
    """Return the loss as a function of all bottoms."""
    sigma = float(node.layer.sigma)
    return function(smooth_l1_loss, sigma=unless(sigma, 1))
