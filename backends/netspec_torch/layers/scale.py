"""Scale in torch."""

from __future__ import annotations

import torch
from torch import nn

from netspec.graph import Node
from netspec.layers.scale import spanned

from ..lowering import Lowered, expression, module
from .bias import Bias, trailing


class Scale(nn.Module):
    """Multiply by a learned factor, and add a learned offset.

    `after` is the number of axes after those the factor spans.
    """

    def __init__(self, shape, after=0, bias=False):
        super().__init__()
        self.view = (*shape, *[1] * after)
        self.weight = nn.Parameter(torch.ones(shape))
        self.bias = nn.Parameter(torch.zeros(shape)) if bias else None

    def forward(self, x):
        weight = self.weight.reshape(self.view)
        if self.bias is None:
            return x * weight
        return torch.addcmul(self.bias.reshape(self.view), x, weight)


def lower(node: Node) -> Lowered:
    """Return a product with the second bottom, or a module that holds the factor."""
    bottoms = [value.blob for value in node.bottoms]
    first, end = spanned(node.layer, *bottoms)
    shape, after = bottoms[0].shape[first:end], bottoms[0].rank - end
    bias = node.layer.bias_term
    if len(bottoms) == 1:
        return module(Scale, shape, after=after or None, bias=bias or None)
    product = f"{{0}} * {{1}}{trailing(after)}"
    if not bias:
        return expression(product)
    return module(Bias, shape, after=after or None, call=f"{{self}}({product})")
