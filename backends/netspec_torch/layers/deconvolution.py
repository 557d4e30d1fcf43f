"""Deconvolution in torch."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, arguments, module, same, unless
from ..windows import batched, shared, sides


class DeconvNd(nn.Module):
    """A deconvolution over any number of axes: what each tap spreads, added up."""

    def __init__(self, inputs, outputs, kernel, stride, pads, dilation, extra, groups=1, bias=True):
        super().__init__()
        self.window = kernel, stride, dilation
        self.cut = [-pad for pad in pads]
        self.extra = extra
        self.places = [()]
        for size in kernel:
            self.places = [(*place, tap) for place in self.places for tap in range(size)]
        self.groups = groups
        self.weight = nn.Parameter(torch.empty(inputs, outputs // groups, *kernel))
        self.bias = nn.Parameter(torch.empty(outputs)) if bias else None
        bound = (outputs // groups * math.prod(kernel)) ** -0.5
        for weight in self.parameters():
            nn.init.uniform_(weight, -bound, bound)

    def forward(self, x):
        """Return the spread blob."""
        kernel, stride, dilation = self.window
        spatial = x.shape[2:]
        flat = x.reshape(x.shape[0], self.groups, x.shape[1] // self.groups, math.prod(spatial))
        weight = self.weight.reshape(self.groups, flat.shape[2], -1, math.prod(kernel))
        taps = torch.einsum("gcot,ngcl->tngol", weight, flat)
        taps = taps.reshape(len(taps), x.shape[0], -1, *spatial)
        reach = [s * (n - 1) + 1 for s, n in zip(stride, spatial, strict=True)]
        axes = list(zip(reach, stride, dilation, kernel, self.extra, strict=True))
        extents = [r + d * (k - 1) + e for r, _, d, k, e in axes]
        y = x.new_zeros(x.shape[0], taps.shape[2], *extents)
        for tap, place in zip(taps, self.places, strict=True):
            starts = [d * at for (_, _, d, _, _), at in zip(axes, place, strict=True)]
            cuts = [slice(at, at + r, s) for at, (r, s, *_) in zip(starts, axes, strict=True)]
            y[(slice(None), slice(None), *cuts)] += tap
        y = F.pad(y, self.cut)
        return y if self.bias is None else y + self.bias.reshape(-1, *[1] * len(kernel))


def lower(node: Node) -> Lowered:
    """Return nn.ConvTranspose1d, 2d or 3d, or a DeconvNd where torch has none."""
    (x, *_), layer = [value.blob for value in node.bottoms], node.layer
    axis = canonical_axis(layer, "axis", x)
    window, channels = layer.window(x), x.shape[axis]
    axes = len(window.kernel)
    extra = layer.extra(window)
    if axes not in (1, 2, 3) or 0 in window.dilation:
        pads = sides(window.pad, window.pad_end)
        geometry = (window.kernel, window.stride, pads, window.dilation, extra)
        made = module(
            DeconvNd, channels, layer.num_output, *geometry,
            groups=unless(layer.group, 1), bias=unless(layer.bias_term, True),
        )  # fmt: skip
        return shared(Lowered(made.init, batched("{self}({x})", axis), made.uses), node)
    # torch drops at most what one window reaches; more is cut off afterwards
    plain = window.pad == window.pad_end and all(
        pad < extent for pad, extent in zip(window.pad, window.extent, strict=True)
    )
    made = module(
        f"nn.ConvTranspose{axes}d",
        channels,
        layer.num_output,
        same(window.kernel),
        stride=unless(same(window.stride), 1),
        padding=unless(same(window.pad), 0) if plain else None,
        output_padding=unless(same(extra), 0),
        groups=unless(layer.group, 1),
        bias=unless(layer.bias_term, True),
        dilation=unless(same(window.dilation), 1),
    )
    cut = tuple(-pad for pad in sides(window.pad, window.pad_end))
    call = "{self}({x})" if plain else f"F.pad({{self}}({{x}}), {arguments(cut)})"
    return shared(Lowered(made.init, batched(call, axis), made.uses), node)
