"""Unpooling in torch."""

from __future__ import annotations

import math

from netspec.graph import Node
from netspec.layers.convolution import sided

from ..lowering import Lowered, literal


def unpool(x, mask, size):
    """Return zeros of `size`, with each element of x where the mask says."""
    y = x.new_zeros(*x.shape[:2], math.prod(size))
    return y.scatter(2, mask.long().flatten(2), x.flatten(2)).unflatten(2, size)


def lower(node: Node) -> Lowered:
    """Return a scatter; the size follows the bottom unless it is given."""
    x, layer = node.bottoms[0].blob, node.layer
    axes = len(x.spatial)
    if layer.unpool_size is not None or layer.unpool_h is not None:
        sizes = [literal(size) for size in layer.extents(x.spatial)]
    else:
        kernel, stride = sided(layer, "kernel", axes, None), sided(layer, "stride", axes, 1)
        pad = sided(layer, "pad", axes, 0)
        sizes = []
        for axis in range(axes):
            more = kernel[axis] - stride[axis] - 2 * pad[axis]
            text = scaled(f"{{0}}.shape[{axis + 2}]", stride[axis])
            sizes.append(f"{text} {'-' if more < 0 else '+'} {abs(more)}" if more else text)
    return Lowered("", f"unpool({{0}}, {{1}}, ({', '.join(sizes)},))", (unpool,))


def scaled(text: str, factor: int) -> str:
    """Return the product of an expression and a factor."""
    return text if factor == 1 else f"{factor} * {text}"
