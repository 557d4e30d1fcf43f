"""TVLoss in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, function


def tv_loss(x, beta=2.0, isotropic=False):
    """Return the total variation of an item, averaged over the batch."""
    down = x[:, :, 1:] - x[:, :, :-1]
    right = x[:, :, :, 1:] - x[:, :, :, :-1]
    if isotropic:
        both = down[:, :, :, :-1].square() + right[:, :, :-1].square()
        return both.pow(beta / 2).sum() / x.shape[0]
    return (down.abs().pow(beta).sum() + right.abs().pow(beta).sum()) / x.shape[0]


def lower(node: Node) -> Lowered:
    """Return the loss as a function of the bottom."""
    layer = node.layer
    isotropic = True if layer.kind == "ISOTROPIC" else None
    return function(tv_loss, beta=float(layer.beta), isotropic=isotropic)
