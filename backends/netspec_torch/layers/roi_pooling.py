"""ROIPooling in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, function


def range_max(x, rows, start, end):
    """Return the largest element of x[row, .., start:end] for each pair of ends; 0 for none.

    x is tabled over spans of 1, 2, 4, .. elements; two spans cover any range.
    """
    tables, span = [x], 1
    while 2 * span <= x.shape[-1]:
        last = tables[-1]
        longer = torch.maximum(last[..., :-span], last[..., span:])
        tables.append(torch.cat([longer, last[..., -span:]], -1))
        span *= 2
    table = torch.stack(tables)
    length = (end - start).clamp(min=1)
    power = torch.log2(length.to(torch.float64)).floor().long()
    first = start.clamp(max=x.shape[-1] - 1)
    second = (start + length - 2**power).clamp(0, x.shape[-1] - 1)
    dims = x.dim() - 2
    found = torch.maximum(
        table[(power, rows, *[slice(None)] * dims, first)],
        table[(power, rows, *[slice(None)] * dims, second)],
    )
    return torch.where((end > start).view(*end.shape, *[1] * dims), found, 0.0)


def roi_windows(low, high, count, size):
    """Return where the windows over each region start and end, along one axis."""
    low, high = torch.floor(low + 0.5), torch.floor(high + 0.5)
    step = (high - low + 1).clamp(min=1) / count
    index = torch.arange(count, device=low.device, dtype=low.dtype)
    start = torch.floor(index * step[:, None]) + low[:, None]
    end = torch.ceil((index + 1) * step[:, None]) + low[:, None]
    return start.clamp(0, size).long(), end.clamp(0, size).long()


def roi_pool(x, rois, height, width, scale):
    """Return the largest elements of a grid of windows over each region."""
    rois = rois.detach().flatten(1)
    batch = rois[:, 0].long()
    left, right = roi_windows(rois[:, 1] * scale, rois[:, 3] * scale, width, x.shape[3])
    top, bottom = roi_windows(rois[:, 2] * scale, rois[:, 4] * scale, height, x.shape[2])
    y = range_max(x, batch[:, None].expand_as(left), left, right)
    y = y.permute(0, 2, 1, 3)  # region, channel, column, all rows
    each = torch.arange(len(rois), device=x.device)[:, None].expand_as(top)
    return range_max(y, each, top, bottom).permute(0, 2, 1, 3)


roi_pool.uses = (range_max, roi_windows)


def lower(node: Node) -> Lowered:
    """Return the pooled regions."""
    layer = node.layer
    return function(roi_pool, layer.pooled_h, layer.pooled_w, float(layer.spatial_scale))
