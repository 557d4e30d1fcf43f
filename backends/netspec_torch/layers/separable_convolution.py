"""SeparableConvolution in torch."""

from __future__ import annotations

from torch import nn

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, Refused, arguments, module, same, unless
from ..windows import batched, ends, laid_out, shared, sides, spacing


class SeparableConv(nn.Module):
    """A convolution of each channel by itself, then one of kernel 1 that mixes them."""

    def __init__(self, depthwise, pointwise):
        super().__init__()
        self.depthwise = depthwise
        self.pointwise = pointwise

    def forward(self, x):
        """Return the mixed channels."""
        return self.pointwise(self.depthwise(x))


def lower(node: Node) -> Lowered:
    """Return two convolutions in one module."""
    x, layer = node.bottoms[0].blob, node.layer
    axis = canonical_axis(layer, "axis", x)
    window, channels = layer.window(x), x.shape[axis]
    axes = len(window.kernel)
    if 0 in window.dilation:
        raise Refused("dilation 0: all taps of a filter would read one element")
    if axes not in (1, 2, 3):
        raise Refused(f"a convolution over {axes} spatial axes")
    before, after = window.pad, ends(window, x.shape[axis + 1 :])
    middle = channels * layer.depth_multiplier
    depthwise = module(
        f"nn.Conv{axes}d",
        channels,
        middle,
        same(window.kernel),
        stride=unless(same(window.stride), 1),
        padding=unless(same(before), 0) if after == before else None,
        dilation=unless(same(spacing(window)), 1),
        groups=channels,
        bias=False,
    )
    bias = unless(layer.bias_term, True)
    pointwise = module(f"nn.Conv{axes}d", middle, layer.num_output, 1, bias=bias)
    padded = f"F.pad({{x}}, {arguments(sides(before, after))})"
    call = f"{{self}}({laid_out('{x}' if after == before else padded, window)})"
    init = f"SeparableConv({depthwise.init}, {pointwise.init})"
    return shared(Lowered(init, batched(call, axis), (SeparableConv,)), node)
