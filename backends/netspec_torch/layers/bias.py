"""Bias in torch."""

from __future__ import annotations

import torch
from torch import nn

from netspec.graph import Node
from netspec.layers.scale import spanned

from ..lowering import Lowered, expression, module


class Bias(nn.Module):
    """Add a learned offset; `after` is the number of axes after those it spans."""

    def __init__(self, shape, after=0):
        super().__init__()
        self.view = (*shape, *[1] * after)
        self.bias = nn.Parameter(torch.zeros(shape))

    def forward(self, x):
        return x + self.bias.reshape(self.view)


def lower(node: Node) -> Lowered:
    """Return a sum with the second bottom, or a module that holds the offset."""
    bottoms = [value.blob for value in node.bottoms]
    first, end = spanned(node.layer, *bottoms)
    after = bottoms[0].rank - end
    if len(bottoms) == 2:
        return expression(f"{{0}} + {{1}}{trailing(after)}")
    return module(Bias, bottoms[0].shape[first:end], after=after or None)


def trailing(axes: int) -> str:
    """Return the index that adds axes of extent 1 at the end."""
    return f"[..., {', '.join(['None'] * axes)}]" if axes else ""
