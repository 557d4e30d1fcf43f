"""ROIPooling in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, function


def span_maxima(x, axis):
    """Return the largest of every 1, 2, 4, .. elements along an axis, stacked in front."""
    tables, span, size = [x], 1, x.shape[axis]
    while 2 * span <= size:
        last = tables[-1]
        end = last.narrow(axis, size - span, span)  # never looked up: it keeps the size
        near, far = (last.narrow(axis, start, size - span) for start in (0, span))
        longer = torch.maximum(near, far)
        tables.append(torch.cat([longer, end], axis))
        span *= 2
    return torch.stack(tables)


def span_cover(start, end, size):
    """Return the power of two, and the starts of the two spans of it, that cover a range."""
    length = (end - start).clamp(min=1)
    power = torch.log2(length.to(torch.float64)).floor().long()
    return power, start.clamp(max=size - 1), (start + length - 2**power).clamp(0, size - 1)


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
    batch = batch[:, None, None]
    table = span_maxima(span_maxima(x.permute(0, 2, 3, 1), 1), 3)
    high, *rows = (side[:, :, None] for side in span_cover(top, bottom, x.shape[2]))
    wide, *columns = (side[:, None, :] for side in span_cover(left, right, x.shape[3]))
    found = [table[wide, high, batch, row, column] for row in rows for column in columns]
    y = torch.maximum(torch.maximum(found[0], found[1]), torch.maximum(found[2], found[3]))
    held = (bottom > top)[:, :, None] & (right > left)[:, None, :]
    return torch.where(held[..., None], y, 0.0).permute(0, 3, 1, 2)


roi_pool.uses = (span_maxima, span_cover, roi_windows)


def lower(node: Node) -> Lowered:
    """Return the pooled regions."""
    layer = node.layer
    return function(roi_pool, layer.pooled_h, layer.pooled_w, float(layer.spatial_scale))
