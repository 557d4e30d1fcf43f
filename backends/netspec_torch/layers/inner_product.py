"""InnerProduct in torch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, module, unless


class TransposedLinear(nn.Module):
    """A dense layer whose weight is stored as inputs x outputs."""

    def __init__(self, inputs, outputs, bias=True):
        super().__init__()
        bound = inputs**-0.5
        self.weight = nn.Parameter(nn.init.uniform_(torch.empty(inputs, outputs), -bound, bound))
        start = nn.init.uniform_(torch.empty(outputs), -bound, bound)
        self.bias = nn.Parameter(start) if bias else None

    def forward(self, x):
        return F.linear(x, self.weight.t(), self.bias)


def lower(node: Node) -> Lowered:
    """Return nn.Linear on the flattened bottom."""
    x, layer = node.bottoms[0].blob, node.layer
    axis = canonical_axis(layer, "axis", x)
    flat = "{0}" if axis == x.rank - 1 else f"torch.flatten({{0}}, {axis})"
    return module(
        TransposedLinear if layer.transpose else "nn.Linear",
        node.weights[0].shape[0 if layer.transpose else 1],
        layer.num_output,
        call=f"{{self}}({flat})",
        bias=unless(layer.bias_term, True),
    )
