"""ELU in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, module


def lower(node: Node) -> Lowered:
    """Return nn.ELU."""
    alpha = float(node.layer.alpha)
    return module("nn.ELU", alpha) if alpha != 1 else module("nn.ELU")
