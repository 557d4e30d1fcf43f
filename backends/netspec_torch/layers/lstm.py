"""LSTM in torch."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered
from .lstm_unit import lstm_unit
from .rnn import recurrent


class LSTM(nn.Module):
    """Caffe's LSTM, gates in the order i, f, o, g, over T x N x .. and its sequence marks."""

    uses = (lstm_unit,)

    def __init__(self, inputs, units, static=0, expose=False):
        super().__init__()
        self.expose = expose
        self.weight_xc = nn.Parameter(torch.empty(4 * units, inputs))
        self.bias_c = nn.Parameter(torch.empty(4 * units))
        self.weight_xc_static = nn.Parameter(torch.empty(4 * units, static)) if static else None
        self.weight_hc = nn.Parameter(torch.empty(4 * units, units))
        for weight in self.parameters():
            nn.init.uniform_(weight, -1 / math.sqrt(units), 1 / math.sqrt(units))
        self.register_buffer("h", torch.zeros(1, 1, units), persistent=False)
        self.register_buffer("c", torch.zeros(1, 1, units), persistent=False)

    def forward(self, x, cont, *more):
        gates = F.linear(x.reshape(*x.shape[:2], -1), self.weight_xc, self.bias_c)
        if self.weight_xc_static is not None:
            gates = gates + F.linear(more[0].reshape(x.shape[1], -1), self.weight_xc_static)
        if self.expose:
            h, c = more[-2][0].detach(), more[-1][0].detach()
        elif self.h.shape[1] == x.shape[1]:
            h, c = self.h[0], self.c[0]
        else:
            h = c = gates.new_zeros(x.shape[1], self.weight_hc.shape[1])
        hidden = []
        for gate, keep in zip(gates, cont.to(x.dtype), strict=True):
            c, h = lstm_unit(c, gate + F.linear(keep[:, None] * h, self.weight_hc), keep)
            hidden.append(h)
        y = torch.stack(hidden)
        if self.expose:
            return y, h.detach()[None], c.detach()[None]
        self.h, self.c = h.detach()[None], c.detach()[None]
        return y


def lower(node: Node) -> Lowered:
    """Return Caffe's LSTM."""
    return recurrent(node, LSTM, "weight_xc")
