"""Convolution in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, Refused, module, same


def lower(node: Node) -> Lowered:
    """Return nn.Conv1d, 2d or 3d."""
    (x, *_), layer = [value.blob for value in node.bottoms], node.layer
    window = layer.window(x)
    axes = len(window.kernel)
    if axes not in (1, 2, 3) or layer.axis not in (1, -1 - axes):
        raise Refused(f"a convolution over {axes} spatial axes")
    return module(
        f"nn.Conv{axes}d",
        x.channels,
        layer.num_output,
        same(window.kernel),
        stride=same(window.stride) if set(window.stride) != {1} else None,
        padding=same(window.pad) if any(window.pad) else None,
        dilation=same(window.dilation) if set(window.dilation) != {1} else None,
        groups=layer.group if layer.group != 1 else None,
        bias=None if layer.bias_term else False,
    )
