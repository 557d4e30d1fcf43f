"""Swish in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, expression, literal, module


def lower(node: Node) -> Lowered:
    """Return nn.SiLU, or the product that has a beta."""
    beta = float(node.layer.beta)
    if beta == 1:
        return module("nn.SiLU")
    return expression(f"{{0}} * torch.sigmoid({literal(beta)} * {{0}})")
