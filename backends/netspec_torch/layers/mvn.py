"""MVN in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, function
from .bias import trailing


def mean_variance_normalise(x, axes, eps):
    """Subtract the mean over `axes`, then divide by the deviation plus eps.

    The divisor's gradient takes the deviation to be the divisor itself, as Caffe's does.
    """
    x = x - x.mean(axes, keepdim=True)
    variance = (x * x).mean(axes, keepdim=True)
    divisor = torch.sqrt(variance.detach()) + eps
    return x / (divisor + (variance - variance.detach()) / (2.0 * divisor))


def lower(node: Node) -> Lowered:
    """Return a function on the bottom with 4 axes."""
    layer = node.layer
    bottom = "{0}" + trailing(4 - node.bottoms[0].blob.rank)
    axes = (1, 2, 3) if layer.across_channels else (2, 3)
    if not layer.normalize_variance:
        return function(subtract_mean, axes, bottoms=bottom)
    return function(mean_variance_normalise, axes, float(layer.eps), bottoms=bottom)


def subtract_mean(x, axes):
    """Subtract the mean over `axes`."""
    return x - x.mean(axes, keepdim=True)
