"""ClippedLSTM in torch."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, module, unless


class BoundedGradient(torch.autograd.Function):
    """What it is given, with a gradient of at most `most`."""

    @staticmethod
    def forward(ctx, x, most):
        ctx.most = most
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return grad.clamp(-ctx.most, ctx.most), None


class ClippedLSTM(nn.Module):
    """The LSTM of caffe-lstm, gates in the order i, f, o, g, over rows in the order of time."""

    uses = (BoundedGradient,)

    def __init__(self, inputs, units, streams=1, most=0.0):
        super().__init__()
        self.streams, self.most = streams, most
        self.weight_ih = nn.Parameter(torch.empty(4 * units, inputs))
        self.weight_hh = nn.Parameter(torch.empty(4 * units, units))
        self.bias = nn.Parameter(torch.empty(4 * units))
        for weight in self.parameters():
            nn.init.uniform_(weight, -1 / math.sqrt(units), 1 / math.sqrt(units))
        self.register_buffer("h", torch.zeros(streams, units), persistent=False)
        self.register_buffer("c", torch.zeros(streams, units), persistent=False)

    def forward(self, x, clip=None):
        rows = F.linear(x.reshape(x.shape[0], -1), self.weight_ih, self.bias)
        rows = rows.unflatten(0, (-1, self.streams))
        h, c = self.h, self.c
        marks = [1.0] * len(rows)
        if clip is None:
            h, c = torch.zeros_like(h), torch.zeros_like(c)
        else:
            marks = clip.detach().to(x.dtype).reshape(-1, self.streams, 1)
        hidden = []
        for row, keep in zip(rows, marks, strict=True):
            if clip is None:
                gates = row + F.linear(h, self.weight_hh)
            else:
                gates = row + keep * F.linear(h, self.weight_hh.detach())
                seen = F.linear(h.detach(), self.weight_hh)
                gates = gates + (seen - seen.detach())  # its gradient counts what is cut off
            if self.most > 0:
                gates = BoundedGradient.apply(gates, self.most)
            i, f, o = torch.sigmoid(gates[:, : -h.shape[1]]).chunk(3, 1)
            c = keep * f * c + i * torch.tanh(gates[:, -h.shape[1] :])
            h = o * torch.tanh(c)
            hidden.append(h)
        if clip is not None:
            self.h, self.c = h.detach(), c.detach()
        return torch.cat(hidden)


def lower(node: Node) -> Lowered:
    """Return the LSTM with its state."""
    layer = node.layer
    return module(
        ClippedLSTM,
        math.prod(node.bottoms[0].blob.shape[1:]),
        layer.num_output,
        streams=unless(layer.batch_size, 1),
        most=unless(float(layer.clipping_threshold), 0.0),
    )
