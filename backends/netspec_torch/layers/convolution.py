"""Convolution in torch."""

from __future__ import annotations

import math

import torch
from torch import nn

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, arguments, module, same, unless
from ..windows import batched, ends, laid_out, shared, sides, spacing
from .im2col import im2col


class ConvNd(nn.Module):
    """A convolution over any number of axes: a product with what each window reads."""

    def __init__(self, inputs, outputs, kernel, stride, pads, dilation, groups=1, bias=True):
        super().__init__()
        self.window = kernel, stride, pads, dilation
        self.groups = groups
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, *kernel))
        self.bias = nn.Parameter(torch.empty(outputs)) if bias else None
        bound = (inputs // groups * math.prod(kernel)) ** -0.5
        for weight in self.parameters():
            nn.init.uniform_(weight, -bound, bound)

    def forward(self, x):
        """Return the filtered blob."""
        taps = im2col(x, *self.window)
        spatial = taps.shape[2:]
        taps = taps.reshape(x.shape[0], self.groups, -1, math.prod(spatial))
        weight = self.weight.reshape(self.groups, -1, taps.shape[2])
        y = torch.einsum("gok,ngkl->ngol", weight, taps)
        y = y.reshape(x.shape[0], self.weight.shape[0], *spatial)
        return y if self.bias is None else y + self.bias.reshape(-1, *[1] * len(spatial))


ConvNd.uses = (im2col,)


def lower(node: Node) -> Lowered:
    """Return nn.Conv1d, 2d or 3d; nn.Linear where no axis is spatial; else a ConvNd."""
    (x, *_), layer = [value.blob for value in node.bottoms], node.layer
    axis = canonical_axis(layer, "axis", x)
    window, channels = layer.window(x), x.shape[axis]
    axes = len(window.kernel)
    if axes == 0 and axis and layer.groups(channels) == 1:
        bias = unless(layer.bias_term, True)
        return shared(module("nn.Linear", channels, layer.filters(channels), bias=bias), node)
    before, after = window.pad, ends(window, x.shape[axis + 1 :])
    if axes not in (1, 2, 3):
        pads = sides(before, after)
        geometry = (window.kernel, window.stride, pads, window.dilation)
        made = module(
            ConvNd, channels, layer.filters(channels), *geometry,
            groups=unless(layer.groups(channels), 1), bias=unless(layer.bias_term, True),
        )  # fmt: skip
        return shared(Lowered(made.init, batched("{self}({x})", axis), made.uses), node)
    even, dilation = after == before, spacing(window)
    flat = [index + 2 for index, step in enumerate(dilation) if not step]
    groups = unless(layer.groups(channels), 1)
    made = module(
        f"nn.Conv{axes}d",
        channels,
        layer.filters(channels),
        same(window.kernel),
        stride=unless(same(window.stride), 1),
        padding=unless(same(before), 0) if even else None,
        dilation=None if flat else unless(same(dilation), 1),
        groups=groups,
        bias=unless(layer.bias_term, True),
    )
    padded = f"F.pad({{x}}, {arguments(sides(before, after))})"
    call = f"{{self}}({laid_out('{x}' if even else padded, window)})"
    if flat:  # dilation 0: all taps along an axis read one element, so they add up
        inner = arguments(
            stride=window.stride, dilation=tuple(step or 1 for step in dilation),
            groups=groups,
        )  # fmt: skip
        weight = f"{{self}}.weight.sum({flat}, keepdim=True)"
        call = f"F.conv{axes}d({laid_out(padded, window)}, {weight}, {{self}}.bias, {inner})"
    return shared(Lowered(made.init, batched(call, axis), made.uses), node)
