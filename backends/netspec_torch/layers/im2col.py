"""Im2col in torch."""

from __future__ import annotations

import torch.nn.functional as F

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, arguments
from ..windows import batched, ends, sides


def sliding_windows(x, kernel, stride, pads, dilation):
    """Return what each window reads: N, C, one axis for each output extent, then the taps'."""
    x = F.pad(x, pads)
    for axis, size in enumerate(kernel):
        x = x.unfold(2 + axis, dilation[axis] * (size - 1) + 1, stride[axis])
        # dilation 0: all taps read one element
        x = x[..., :: dilation[axis]] if dilation[axis] else x.expand(*x.shape[:-1], size)
    return x


def im2col(x, kernel, stride, pads, dilation):
    """Return what each window reads, as channels."""
    axes = len(kernel)
    x = sliding_windows(x, kernel, stride, pads, dilation)
    taps = list(range(2 + axes, 2 + 2 * axes))
    return x.movedim(taps, list(range(2, 2 + axes))).flatten(1, 1 + axes)


im2col.uses = (sliding_windows,)


def lower(node: Node) -> Lowered:
    """Return the windows as channels."""
    x, layer = node.bottoms[0].blob, node.layer
    axis = canonical_axis(layer, "axis", x)
    window = layer.window(x)
    pads = sides(window.pad, ends(window, x.shape[axis + 1 :]))
    inner = arguments(window.kernel, window.stride, pads, window.dilation)
    call = batched(f"im2col({{x}}, {inner})", axis)
    return Lowered("", call.replace("{x}", "{0}"), (im2col,))
