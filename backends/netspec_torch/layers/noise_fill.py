"""NoiseFill in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, function


def noise_fill(x, channels, gaussian=False):
    """Append channels of noise."""
    noise = torch.empty(x.shape[0], channels, *x.shape[2:], dtype=x.dtype, device=x.device)
    return torch.cat([x, noise.normal_() if gaussian else noise.uniform_()], 1)


def lower(node: Node) -> Lowered:
    """Return a function."""
    layer = node.layer
    gaussian = layer.distribution == "gaussian" or None
    return function(noise_fill, int(layer.num_channels), gaussian=gaussian)
