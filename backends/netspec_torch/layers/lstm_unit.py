"""LSTMUnit in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, function


def lstm_unit(c, gates, cont):
    """Return the next cells and hidden units; gates i, f, o, g; cont 0 forgets the cells."""
    i, f, o, g = gates.chunk(4, -1)
    c = cont.to(c.dtype).unsqueeze(-1) * torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return c, torch.sigmoid(o) * torch.tanh(c)


def lower(node: Node) -> Lowered:
    """Return one step of the cells."""
    return function(lstm_unit)
