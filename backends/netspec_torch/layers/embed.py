"""Embed in torch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, module


class BiasedEmbedding(nn.Module):
    """An embedding with an offset that all vectors share."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, index):
        return F.embedding(index, self.weight) + self.bias


def lower(node: Node) -> Lowered:
    """Return nn.Embedding, or one with an offset."""
    layer = node.layer
    kind = BiasedEmbedding if layer.bias_term else "nn.Embedding"
    return module(kind, layer.input_dim, layer.num_output, call="{self}({0}.long())")
