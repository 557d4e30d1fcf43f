"""Recurrence in torch."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, module, unless
from .batch_norm import least


class Recurrence(nn.Module):
    """The recurrent half of RNN, GRU and LSTM cells, over rows in the order of time.

    `kernel` is 0 where the state is a row of numbers. With a `momentum`, what comes of the state
    is normalised over the streams, at each step by itself, or always by the averages if `fixed`.
    """

    def __init__(
        self, cell, units, steps=1, kernel=0, activation="TANH", slope=0.0, shortcut=False,
        momentum=None, eps=1e-5, fixed=False, expose=False,
    ):  # fmt: skip
        super().__init__()
        self.cell, self.units, self.steps, self.kernel = cell, units, steps, kernel
        self.activation, self.slope, self.shortcut = activation, slope, shortcut
        self.momentum, self.eps, self.fixed, self.expose = momentum, eps, fixed, expose
        rows = units * {"RNN": 1, "GRU": 3, "LSTM": 4}[cell]
        taps = (kernel, kernel) if kernel else ()
        self.weight_hh = nn.Parameter(torch.empty(rows, units, *taps))
        self.bias_hh = nn.Parameter(torch.zeros(rows))
        bound = 1 / math.sqrt(units * math.prod(taps))
        nn.init.uniform_(self.weight_hh, -bound, bound)
        if momentum is not None:
            self.factor_hh = nn.Parameter(torch.ones(rows))
            self.register_buffer("running_mean", torch.zeros(rows))
            self.register_buffer("running_var", torch.ones(rows))
        self.register_buffer("h", None, persistent=False)
        self.register_buffer("c", None, persistent=False)

    def forward(self, x, *first):
        x = x.unflatten(0, (self.steps, -1))
        shape = x.shape[1], self.units, *x.shape[3:]
        kept = self.h is not None and self.h.shape == shape and not self.training
        if not self.expose:
            first = (self.h, self.c) if kept else (x.new_zeros(shape), x.new_zeros(shape))
        h, c = first[0], first[-1]
        hidden = []
        for step in x.unbind(0):
            if self.cell == "RNN":
                more = self.squash(self.linear(h, 0, 1))
                h = h + step + more if self.shortcut else step + more
            elif self.cell == "GRU":
                z, r = torch.sigmoid(step[:, : 2 * self.units] + self.linear(h, 0, 2)).chunk(2, 1)
                n = self.squash(step[:, 2 * self.units :] + self.linear(r * h, 2, 3))
                h = z * h + (1 - z) * n
            else:
                f, i, g, o = (step + self.linear(h, 0, 4)).chunk(4, 1)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * self.squash(g)
                h = torch.sigmoid(o) * torch.tanh(c)
            hidden.append(h)
        y = torch.cat(hidden)
        if self.expose:
            return (y, h, c) if self.cell == "LSTM" else (y, h)
        if not self.training:
            self.h, self.c = h.detach(), c.detach()
        return y

    def linear(self, h, start, end):
        """Return what the gates from `start` to `end` make of the state."""
        part = slice(start * self.units, end * self.units)
        weight, bias = self.weight_hh[part], self.bias_hh[part]
        plain = self.momentum is None
        if self.kernel:
            y = F.conv2d(h, weight, bias if plain else None, padding=self.kernel // 2)
        else:
            y = F.linear(h, weight, bias if plain else None)
        if plain:
            return y
        mean, variance = self.running_mean[part], self.running_var[part]
        batch = self.training and not self.fixed
        if batch and y.numel() == y.shape[1]:  # it is its own mean, which torch refuses
            with torch.no_grad():
                mean.lerp_(y.reshape(-1), self.momentum)
                variance.mul_(1.0 - self.momentum)
            return (y - y) + bias.view_as(y)
        factor = self.factor_hh[part]
        return F.batch_norm(y, mean, variance, factor, bias, batch, self.momentum, self.eps)

    def squash(self, x):
        """Return the activation."""
        if self.activation == "RELU":
            return F.leaky_relu(x, self.slope)
        if self.activation == "LINEAR":
            return x
        return torch.tanh(x) if self.activation == "TANH" else torch.sigmoid(x)


def lower(node: Node) -> Lowered:
    """Return the recurrent half of the cells."""
    layer, normed = node.layer, node.layer.batch_normalize
    return module(
        Recurrence,
        layer.cell,
        node.bottoms[0].blob.channels // layer.gates,
        steps=unless(layer.time_steps, 1),
        kernel=layer.kernel_size,
        activation=unless(layer.activation, "TANH"),
        slope=float(layer.negative_slope) or None,
        shortcut=layer.shortcut or None,
        momentum=round(1.0 - layer.moving_average_fraction, 12) if normed else None,
        eps=least(layer.eps) if normed else None,
        fixed=(normed and node.frozen) or None,
        expose=layer.expose_hidden or None,
    )
