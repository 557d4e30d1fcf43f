"""SpatialPyramidPooling in torch."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from netspec.graph import Node
from netspec.layer import listed

from ..lowering import Lowered, Refused, expression, function


def pyramid_of_bins(x, bins, mean):
    """Return the windows of every grid, flat; the last ones may hang over."""
    levels = []
    for level in bins:
        kernel = [size // level for size in x.shape[2:]]
        pool = F.avg_pool2d if mean else F.max_pool2d
        levels.append(pool(x, kernel, ceil_mode=True).flatten(1))
    return torch.cat(levels, 1)


def lower(node: Node) -> Lowered:
    """Return the grids in one call."""
    layer = node.layer
    if layer.method == "STOCHASTIC":
        raise Refused("pool STOCHASTIC, which Caffe's own CPU code does not run")
    bins, mean = listed(layer.spatial_bin), layer.method == "AVE"
    if len(bins) == 1:
        return expression(f"F.{'avg' if mean else 'max'}_pool2d({{0}}, {{0}}.shape[2:])")
    return function(pyramid_of_bins, bins, mean)
