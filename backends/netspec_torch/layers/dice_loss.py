"""DiceLoss in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, function, unless


def dice_loss(p, target, smooth=1.0, squared=True):
    """Return 1 - twice the overlap of an item over its total, averaged over the batch."""
    p = p.reshape(p.shape[0], -1)
    target = target.detach().to(p.dtype).reshape(p.shape)
    total = (p.square() + target.square() if squared else p + target).sum(1)
    return 1 - ((2 * (p * target).sum(1) + smooth) / (total + smooth)).mean()


def lower(node: Node) -> Lowered:
    """Return the loss as a function of probabilities and a mask."""
    layer = node.layer
    squared = unless(layer.squared, True)
    return function(dice_loss, smooth=float(layer.smooth), squared=squared)
