"""Dropout in torch."""

from __future__ import annotations

import torch.nn.functional as F
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, module


class ScaleLaterDropout(nn.Module):
    """Set values to 0 in training, and make up for the lost share in eval mode."""

    def __init__(self, ratio):
        super().__init__()
        self.ratio = ratio

    def forward(self, x):
        keep = 1.0 - self.ratio
        return F.dropout(x, self.ratio, self.training) * keep if keep else x * 0.0


def lower(node: Node) -> Lowered:
    """Return nn.Dropout, or the form that scales in eval mode."""
    ratio = float(node.layer.dropout_ratio)
    return module("nn.Dropout" if node.layer.scale_train else ScaleLaterDropout, ratio)
