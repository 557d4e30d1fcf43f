"""GCNConv in torch."""

from __future__ import annotations

import torch
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, module, unless


class GCNConv(nn.Module):
    """Multiply by a matrix, then average over neighbours with weight 1 / sqrt(d_i d_j)."""

    def __init__(self, inputs, outputs, bias=True):
        super().__init__()
        self.lin = nn.Linear(inputs, outputs, bias=False)
        nn.init.xavier_uniform_(self.lin.weight)
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x, graph):
        x = self.lin(x)
        if graph.is_floating_point():
            graph = graph + torch.eye(graph.shape[0], dtype=x.dtype, device=x.device)
            scale = graph.sum(1).pow(-0.5)[:, None]
            scale = torch.where(torch.isinf(scale), torch.zeros_like(scale), scale)
            y = scale * torch.matmul(graph, scale * x)
        else:
            start, end = graph[0], graph[1]
            weight = (start != end).to(x.dtype)
            degree = x.new_ones(x.shape[-2]).index_add(0, end, weight)
            scale = degree.rsqrt()
            weight = weight * scale[start] * scale[end]
            y = x / degree[:, None]
            y = y.index_add(-2, end, x.index_select(-2, start) * weight[:, None])
        return y if self.bias is None else y + self.bias


def lower(node: Node) -> Lowered:
    """Return a GCNConv."""
    layer = node.layer
    return module(
        GCNConv,
        node.bottoms[0].blob.shape[-1],
        layer.num_output,
        bias=unless(layer.bias_term, True),
    )
