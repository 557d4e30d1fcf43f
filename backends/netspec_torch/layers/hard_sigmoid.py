"""HardSigmoid in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, expression, literal, module


def lower(node: Node) -> Lowered:
    """Return nn.Hardsigmoid, or a clamp where the line is another."""
    alpha, beta = float(node.layer.alpha), float(node.layer.beta)
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return module("nn.Hardsigmoid")
    return expression(f"torch.clamp({literal(alpha)} * {{0}} + {literal(beta)}, 0.0, 1.0)")
