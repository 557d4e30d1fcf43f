"""PSROIPooling in torch."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from netspec.graph import Node

from ..lowering import Lowered, function


def psroi_windows(low, high, scale, count, size):
    """Return where the windows over each region start and end, along one axis."""
    low, high = torch.floor(low + 0.5) * scale, torch.floor(high + 1.5) * scale
    step = (high - low).clamp(min=0.1) / count
    index = torch.arange(count, device=low.device, dtype=low.dtype)
    start = torch.floor(index * step[:, None] + low[:, None])
    end = torch.ceil((index + 1) * step[:, None] + low[:, None])
    return start.clamp(0, size).long(), end.clamp(0, size).long()


def psroi_pool(x, rois, outputs, group, scale):
    """Return the means of a grid of windows over each region, each over channels of its own."""
    rois = rois.detach().flatten(1)
    left, right = psroi_windows(rois[:, 1], rois[:, 3], scale, group, x.shape[3])
    top, bottom = psroi_windows(rois[:, 2], rois[:, 4], scale, group, x.shape[2])
    # sums over the rectangle from the corner: four of them give that over a window
    sums = F.pad(x.to(torch.float64).cumsum(2).cumsum(3), (1, 0, 1, 0))
    batch = rois[:, 0].long().view(-1, 1, 1, 1)
    channel = torch.arange(outputs * group * group, device=x.device).view(outputs, group, group)
    left, right = (side[:, None, None, :] for side in (left, right))
    top, bottom = (side[:, None, :, None] for side in (top, bottom))
    total = (
        sums[batch, channel, bottom, right]
        - sums[batch, channel, top, right]
        - sums[batch, channel, bottom, left]
        + sums[batch, channel, top, left]
    )
    area = (bottom - top) * (right - left)
    empty = (bottom <= top) | (right <= left)
    return torch.where(empty, 0.0, total / area.clamp(min=1)).to(x.dtype)


psroi_pool.uses = (psroi_windows,)


def lower(node: Node) -> Lowered:
    """Return the pooled regions."""
    layer = node.layer
    return function(psroi_pool, layer.output_dim, layer.group_size, float(layer.spatial_scale))
