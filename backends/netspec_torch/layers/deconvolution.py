"""Deconvolution in torch."""

from __future__ import annotations

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, Refused, arguments, module, same, unless
from .convolution import batched, shared, sides, whole_window


def lower(node: Node) -> Lowered:
    """Return nn.ConvTranspose1d, 2d or 3d."""
    (x, *_), layer = [value.blob for value in node.bottoms], node.layer
    axis = canonical_axis(layer, "axis", x)
    window, channels = whole_window(layer, x), x.shape[axis]
    axes = len(window.kernel)
    if axes not in (1, 2, 3):
        raise Refused(f"a deconvolution over {axes} spatial axes")
    extra = layer.extra(window)
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
