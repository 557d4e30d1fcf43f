"""LocallyConnected in torch."""

from __future__ import annotations

import math

import torch
from torch import nn

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, Refused, module, unless
from ..windows import batched, ends, shared, sides
from .im2col import im2col


class LocalConv(nn.Module):
    """A convolution with filters of its own at each place."""

    def __init__(self, inputs, outputs, places, kernel, stride, pads, dilation, bias=True):
        super().__init__()
        self.places = places
        self.window = kernel, stride, pads, dilation
        taps = inputs * math.prod(kernel)
        self.weight = nn.Parameter(torch.empty(math.prod(places), outputs, taps))
        self.bias = nn.Parameter(torch.empty(outputs, *places)) if bias else None
        for weight in self.parameters():
            nn.init.uniform_(weight, -(taps**-0.5), taps**-0.5)

    def forward(self, x):
        """Return the filtered blob."""
        taps = im2col(x, *self.window).flatten(2)
        y = torch.einsum("nkl,lok->nol", taps, self.weight).unflatten(2, self.places)
        return y if self.bias is None else y + self.bias


LocalConv.uses = (im2col,)


def lower(node: Node) -> Lowered:
    """Return a bank of filters for each place."""
    x, layer = node.bottoms[0].blob, node.layer
    axis = canonical_axis(layer, "axis", x)
    window, spatial = layer.window(x), x.shape[axis + 1 :]
    if not spatial:
        raise Refused("a convolution over 0 spatial axes")
    pads = sides(window.pad, ends(window, spatial))
    made = module(
        LocalConv,
        x.shape[axis],
        layer.num_output,
        window.slide(spatial),
        window.kernel,
        window.stride,
        pads,
        window.dilation,
        bias=unless(layer.bias_term, True),
    )
    call = batched("{self}({x})", axis)
    return shared(Lowered(made.init, call, made.uses), node)
