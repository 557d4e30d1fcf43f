"""RNN in torch."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, module


class RNN(nn.Module):
    """Caffe's RNN: tanh units with a tanh read-out, over T x N x .. and its sequence marks."""

    def __init__(self, inputs, units, static=0, expose=False):
        super().__init__()
        self.expose = expose
        self.weight_xh = nn.Parameter(torch.empty(units, inputs))
        self.bias_h = nn.Parameter(torch.empty(units))
        self.weight_xh_static = nn.Parameter(torch.empty(units, static)) if static else None
        self.weight_hh = nn.Parameter(torch.empty(units, units))
        self.weight_ho = nn.Parameter(torch.empty(units, units))
        self.bias_o = nn.Parameter(torch.empty(units))
        for weight in self.parameters():
            nn.init.uniform_(weight, -1 / math.sqrt(units), 1 / math.sqrt(units))
        self.register_buffer("h", torch.zeros(1, 1, units), persistent=False)

    def forward(self, x, cont, *more):
        gates = F.linear(x.reshape(*x.shape[:2], -1), self.weight_xh, self.bias_h)
        if self.weight_xh_static is not None:
            gates = gates + F.linear(more[0].reshape(x.shape[1], -1), self.weight_xh_static)
        if self.expose:
            h = more[-1][0].detach()
        elif self.h.shape[1] == x.shape[1]:
            h = self.h[0]
        else:
            h = gates.new_zeros(x.shape[1], gates.shape[2])
        hidden = []
        for gate, keep in zip(gates, cont.to(x.dtype)[:, :, None], strict=True):
            h = torch.tanh(gate + F.linear(keep * h, self.weight_hh))
            hidden.append(h)
        y = torch.tanh(F.linear(torch.stack(hidden), self.weight_ho, self.bias_o))
        if self.expose:
            return y, h.detach()[None]
        self.h = h.detach()[None]
        return y


def lower(node: Node) -> Lowered:
    """Return Caffe's RNN."""
    return recurrent(node, RNN, "weight_xh")


def recurrent(node: Node, kind: type, matrix: str) -> Lowered:
    """Return one of Caffe's recurrent layers, given the name of the matrix of its input."""
    shapes = {weight.name: weight.shape for weight in node.weights}
    static = shapes.get(f"{matrix}_static")
    return module(
        kind,
        shapes[matrix][1],
        node.layer.num_output,
        static=static[1] if static else None,
        expose=node.layer.expose_hidden or None,
    )
