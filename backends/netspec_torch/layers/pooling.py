"""Pooling in torch."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, Refused, arguments, function, module, same
from .im2col import sliding_windows


def pool_counts(x, kernel, stride, pads, pads_end, dilation, ceil):
    """Return, for each axis: windows, extent of one, and elements missing after the last."""
    padded = any(pads) or any(pads_end)
    rows = []
    for axis, size in enumerate(x.shape[2:]):
        s, before, after = stride[axis], pads[axis], pads_end[axis]
        extent = dilation[axis] * (kernel[axis] - 1) + 1
        if not ceil:
            count = (size + before + after - extent) // s + 1
        elif padded:
            count = (size + before + min(after - extent + s, 0) + s - 1) // s
        else:
            count = (size - extent + s - 1) // s + 1
        rows.append((count, extent, (count - 1) * s + extent - size - before))
    return rows


def pool_padded(x, rows, pads, value):
    """Return x with `value` around it, so that its windows are as many as Caffe makes."""
    around = [side for axis in reversed(range(len(rows))) for side in (pads[axis], rows[axis][2])]
    return F.pad(x, around, value=value)


def caffe_max_pool(x, kernel, stride, pads, pads_end, dilation, ceil, mask=False):
    """Return the largest element of each window, -FLT_MAX where it holds none; and its index."""
    rows = pool_counts(x, kernel, stride, pads, pads_end, dilation, ceil)
    pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[len(kernel) - 1]
    wide = pool_padded(x, rows, pads, torch.finfo(x.dtype).min)
    if not mask:
        return pool(wide, kernel, stride, dilation=dilation)
    y, index = pool(wide, kernel, stride, dilation=dilation, return_indices=True)
    flat, step = torch.zeros_like(index), 1
    for axis in range(x.dim() - 1, 1, -1):
        flat = flat + (index % wide.shape[axis] - pads[axis - 2]) * step
        index, step = index // wide.shape[axis], step * x.shape[axis]
    for axis, (count, _, _) in enumerate(rows):  # -1 where a window starts past the end
        past = torch.arange(count, device=x.device) * stride[axis] - pads[axis] >= x.shape[2 + axis]
        flat = flat.masked_fill(past.view(-1, *[1] * (len(rows) - 1 - axis)), -1)
    return y, flat.to(x.dtype)


caffe_max_pool.uses = (pool_counts, pool_padded)


def caffe_ave_pool(x, kernel, stride, pads, pads_end, dilation, ceil, include):
    """Return the mean of each window, over its extent cut to the padded input or to the input."""
    rows = pool_counts(x, kernel, stride, pads, pads_end, dilation, ceil)
    axes = len(kernel)
    y = pool_padded(x, rows, pads, 0.0)
    if max(dilation) == 1:
        pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[axes - 1]
        y = pool(y, kernel, stride) * math.prod(kernel)
    else:
        y = sliding_windows(y, kernel, stride, (0, 0) * axes, dilation).flatten(2 + axes).sum(-1)
    for axis, (count, extent, _) in enumerate(rows):
        size, before, after = x.shape[2 + axis], pads[axis], pads_end[axis]
        start = torch.arange(count, device=x.device) * stride[axis] - before
        taps = start[:, None] + torch.arange(kernel[axis], device=x.device) * dilation[axis]
        if include and dilation[axis] == 1:
            # not below zero taps: a window past the end has a negative extent in Caffe
            divisor = (start + extent).clamp(max=size + after) - start
        elif include:
            divisor = (taps < size + after).sum(1)
        else:
            divisor = ((taps >= 0) & (taps < size)).sum(1)
        y = y / divisor.to(x.dtype).view(-1, *[1] * (axes - 1 - axis))
    return y


caffe_ave_pool.uses = (pool_counts, pool_padded, sliding_windows)


def l2_pool(x, kernel, stride, pads, pads_end, dilation, ceil):
    """Return the length of each window; its gradient is 0 where that is 0."""
    rows = pool_counts(x, kernel, stride, pads, pads_end, dilation, ceil)
    axes = len(kernel)
    y = sliding_windows(pool_padded(x, rows, pads, 0.0), kernel, stride, (0, 0) * axes, dilation)
    return torch.linalg.vector_norm(y.flatten(2 + axes), dim=-1)


l2_pool.uses = (pool_counts, pool_padded, sliding_windows)


class StochasticPool(nn.Module):
    """Draw one element of each window in proportion to it; in eval, their weighted mean."""

    def __init__(self, kernel, stride, dilation, ceil):
        super().__init__()
        self.window = kernel, stride, dilation
        self.ceil = ceil

    def forward(self, x):
        """Return one element of each window."""
        kernel, stride, dilation = self.window
        none = (0,) * len(kernel)
        rows = pool_counts(x, kernel, stride, none, none, dilation, self.ceil)
        y = sliding_windows(pool_padded(x, rows, none, 0.0), kernel, stride, none * 2, dilation)
        y = y.flatten(2 + len(kernel))
        total = y.sum(-1, keepdim=True)
        if not self.training:
            return (y * y).sum(-1) / total[..., 0].clamp(min=torch.finfo(x.dtype).tiny)
        drawn = torch.rand_like(total) * total
        index = (y.cumsum(-1) < drawn).sum(-1, keepdim=True).clamp(max=y.shape[-1] - 1)
        return y.gather(-1, index)[..., 0]


StochasticPool.uses = (pool_counts, pool_padded, sliding_windows)


def index_mask(pooled):
    """Return what a pooling with return_indices gave, with Caffe's indices: floats."""
    y, index = pooled
    return y, index.to(y.dtype)


def whole_max(x):
    """Return the largest element of each channel, and its flat index as a float."""
    y, index = x.flatten(2).max(2)
    shape = (*y.shape, *[1] * (x.dim() - 2))
    return y.view(shape), index.to(x.dtype).view(shape)


def lower(node: Node) -> Lowered:
    """Return torch's pooling where it is Caffe's at every size, and Caffe's own where not."""
    x, layer = node.bottoms[0].blob, node.layer
    axes, mask = len(x.spatial), len(node.tops) == 2
    mean = layer.pool in ("AVE", "AVE_EXC_PAD")
    if layer.global_pooling or layer.output_size is not None:
        return whole(node, mean, mask)
    window, ceil = layer.sliding(axes), layer.rounds_up
    row = (window.kernel, window.stride, window.pad, window.pad_end, window.dilation, ceil)
    if layer.pool == "STOCHASTIC":
        return module(StochasticPool, window.kernel, window.stride, window.dilation, ceil)
    if layer.pool == "L2":
        return function(l2_pool, *row)
    padded = ceil or any(window.pad) or any(window.pad_end)
    hangs = mean and axes == 3 and padded and not all(map(covers, x.spatial, window.extent))
    if hangs or not alike(window, ceil, mean):
        if mean:
            return function(caffe_ave_pool, *row, layer.includes_pad)
        return function(caffe_max_pool, *row, *([True] if mask else []))
    common = {
        "padding": same(window.pad) if any(window.pad) else None,
        "ceil_mode": True if ceil and set(window.stride) != {1} else None,
    }
    stride = same(window.stride) if window.stride != window.kernel else None
    args = (same(window.kernel), *([stride] if stride is not None else []))
    if mean:
        include = None if layer.includes_pad else False
        return module(f"nn.AvgPool{axes}d", *args, **common, count_include_pad=include)
    dilation = same(window.dilation) if set(window.dilation) != {1} else None
    if not mask:
        return module(f"nn.MaxPool{axes}d", *args, **common, dilation=dilation)
    return Lowered(
        module(f"nn.MaxPool{axes}d", *args, **common, dilation=dilation, return_indices=True).init,
        "index_mask({self}({0}))",
        (index_mask,),
    )


def covers(size, extent: int) -> bool:
    """Return whether a window is known to fit, padding apart: nn.AvgPool3d takes no other."""
    return isinstance(size, int) and size >= extent


def alike(window, ceil: bool, mean: bool) -> bool:
    """Return whether torch's pooling is Caffe's, whatever the size of the input."""
    if window.pad != window.pad_end or (mean and set(window.dilation) != {1}):
        return False
    if any(pad > kernel // 2 for pad, kernel in zip(window.pad, window.kernel, strict=True)):
        return False
    # torch drops a last window that starts past the end also where nothing is padded
    gaps = any(s > extent for s, extent in zip(window.stride, window.extent, strict=True))
    return not (ceil and gaps and not any(window.pad))


def whole(node: Node, mean: bool, mask: bool) -> Lowered:
    """Return a pooling that fits its windows to the size of the input."""
    x, layer = node.bottoms[0].blob, node.layer
    axes = len(x.spatial)
    size = same(layer.extents(x)) if layer.output_size is not None else 1
    if mean:
        return module(f"nn.AdaptiveAvgPool{axes}d", size)
    if layer.pool != "MAX":
        if size != 1:
            raise Refused(f"pool {layer.pool} to a given output_size")
        if layer.pool == "L2":
            keep = arguments(dim=tuple(range(2, 2 + axes)), keepdim=True)
            return Lowered("", f"torch.linalg.vector_norm({{0}}, {keep})", ())
        raise Refused("global STOCHASTIC pooling")
    if mask and size == 1:
        return function(whole_max)
    if mask:
        made = module(f"nn.AdaptiveMaxPool{axes}d", size, return_indices=True)
        return Lowered(made.init, "index_mask({self}({0}))", (index_mask,))
    return module(f"nn.AdaptiveMaxPool{axes}d", size)
