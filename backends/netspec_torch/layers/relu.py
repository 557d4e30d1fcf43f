"""ReLU in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, module


def lower(node: Node) -> Lowered:
    """Return nn.ReLU, or nn.LeakyReLU where there is a slope."""
    slope = node.layer.negative_slope
    return module("nn.LeakyReLU", float(slope)) if slope else module("nn.ReLU")
