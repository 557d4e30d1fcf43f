"""Softplus in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, module, unless


def lower(node: Node) -> Lowered:
    """Return nn.Softplus."""
    beta = float(node.layer.beta)
    return module("nn.Softplus", beta=unless(beta, 1))
