"""ROIAlign in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, function


def roi_weights(low, size, count, samples, extent):
    """Return how much each element counts in each window over each region, along one axis."""
    step = size / count
    taken = torch.full_like(step, samples) if samples else torch.ceil(step)
    each = taken.clamp(min=1)
    index = torch.arange(samples or extent, device=low.device, dtype=low.dtype)
    window = torch.arange(count, device=low.device, dtype=low.dtype)
    at = (index + 0.5) / each[:, None]
    at = low[:, None, None] + (window[:, None] + at[:, None]) * step[:, None, None]
    counts = (index < taken[:, None])[:, None] & (at >= -1.0) & (at <= extent)
    at = at.clamp(0, extent - 1)
    near = (at[..., None] - torch.arange(extent, device=low.device, dtype=low.dtype)).abs()
    weight = (1 - near).clamp(min=0) * counts[..., None]
    return weight.sum(2) / each[:, None, None]


def roi_align(x, rois, height, width, scale, samples, aligned):
    """Return the mean of bilinear samples in a grid of windows over each region."""
    rois = rois.detach().flatten(1)
    box = rois[:, 1:] * scale - (0.5 if aligned else 0.0)
    size = box[:, 2:] - box[:, :2]
    size = size if aligned else size.clamp(min=1.0)
    wide = roi_weights(box[:, 0], size[:, 0], width, samples, x.shape[3]).to(x.dtype)
    high = roi_weights(box[:, 1], size[:, 1], height, samples, x.shape[2]).to(x.dtype)
    image = torch.nn.functional.one_hot(rois[:, 0].long(), x.shape[0]).to(x.dtype)
    high = torch.einsum("rn,rph->rpnh", image, high)
    return torch.einsum("rpnh,nchw,rqw->rcpq", high, x, wide)


roi_align.uses = (roi_weights,)


def lower(node: Node) -> Lowered:
    """Return the sampled regions."""
    layer = node.layer
    return function(
        roi_align,
        layer.pooled_h,
        layer.pooled_w,
        float(layer.spatial_scale),
        layer.sampling_ratio,
        layer.aligned,
    )
