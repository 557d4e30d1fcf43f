"""MinibatchStdDev in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, function


def minibatch_std_dev(x, size, eps):
    """Append a channel: the mean deviation within each group of `size` items."""
    size = min(size, x.shape[0])
    groups = x.reshape(size, -1, *x.shape[1:])
    groups = groups - groups.mean(0, keepdim=True)
    deviation = torch.sqrt((groups * groups).mean(0) + eps).flatten(1).mean(1)
    shape = (x.shape[0], *[1] * (x.dim() - 1))
    return torch.cat([x, deviation.repeat(size).view(shape).expand(-1, 1, *x.shape[2:])], 1)


def lower(node: Node) -> Lowered:
    """Return a function."""
    return function(minibatch_std_dev, int(node.layer.group_size), float(node.layer.eps))
