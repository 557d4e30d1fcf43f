"""SPP in torch."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from netspec.graph import Node

from ..lowering import Lowered, Refused, function


def spatial_pyramid(x, height, mean):
    """Return the windows of 1x1, 2x2, 4x4, .. grids, flat; one level keeps its axes."""
    levels = []
    for level in range(height):
        bins = 2**level
        kernel = [(size + bins - 1) // bins for size in x.shape[2:]]
        start = [(k * bins - size + 1) // 2 for k, size in zip(kernel, x.shape[2:], strict=True)]
        end = [k * bins - s - size for k, s, size in zip(kernel, start, x.shape[2:], strict=True)]
        around = [start[1], end[1], start[0], end[0]]
        if mean:
            y = F.avg_pool2d(F.pad(x, around), kernel)
        else:
            y = F.max_pool2d(F.pad(x, around, value=torch.finfo(x.dtype).min), kernel)
        levels.append(y if height == 1 else y.flatten(1))
    return levels[0] if height == 1 else torch.cat(levels, 1)


def lower(node: Node) -> Lowered:
    """Return the grids in one call."""
    layer = node.layer
    if layer.pool == "STOCHASTIC":
        raise Refused("pool STOCHASTIC, which Caffe's own CPU code does not run")
    return function(spatial_pyramid, layer.pyramid_height, layer.pool == "AVE")
