"""LRN in torch."""

from __future__ import annotations

import torch.nn.functional as F

from netspec.graph import Node

from ..lowering import Lowered, function, module


def within_channel(x, size, alpha, beta):
    """Divide by the mean square of the window around each value."""
    return x * (1.0 + alpha * F.avg_pool2d(x * x, size, 1, size // 2)) ** -beta


def lower(node: Node) -> Lowered:
    """Return nn.LocalResponseNorm, or a function for the window within a channel."""
    layer = node.layer
    size, alpha, beta = layer.local_size, float(layer.alpha), float(layer.beta)
    if layer.norm_region == "WITHIN_CHANNEL":
        return function(within_channel, size, alpha, beta)
    return module("nn.LocalResponseNorm", size, alpha=alpha, beta=beta, k=float(layer.k))
