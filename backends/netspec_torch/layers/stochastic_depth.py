"""StochasticDepth in torch."""

from __future__ import annotations

import torch
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, module, unless


class StochasticDepth(nn.Module):
    """Set whole items, or the whole batch, to 0 in training."""

    def __init__(self, ratio, mode="row"):
        super().__init__()
        self.ratio = ratio
        self.mode = mode

    def forward(self, x):
        if not self.training or self.ratio == 0.0:
            return x
        keep = 1.0 - self.ratio
        shape = [x.shape[0] if self.mode == "row" else 1] + [1] * (x.dim() - 1)
        kept = torch.empty(shape, dtype=x.dtype, device=x.device).bernoulli_(keep)
        return x * (kept / keep if keep > 0.0 else kept)


def lower(node: Node) -> Lowered:
    """Return a module."""
    mode = node.layer.mode
    return module(StochasticDepth, float(node.layer.drop_ratio), mode=unless(mode, "row"))
