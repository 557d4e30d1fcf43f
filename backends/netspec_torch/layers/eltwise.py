"""Eltwise in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, expression, literal


def lower(node: Node) -> Lowered:
    """Return a sum, product or maximum of all bottoms."""
    layer, count = node.layer, len(node.bottoms)
    if layer.operation == "PROD":
        return expression(" * ".join(f"{{{i}}}" for i in range(count)))
    if layer.operation == "MAX":
        text = "{0}"
        for index in range(1, count):
            text = f"torch.maximum({text}, {{{index}}})"
        return expression(text)
    factors = layer.coefficients or [1] * count
    terms = [
        f"{{{i}}}" if factor == 1 else f"{literal(float(factor))} * {{{i}}}"
        for i, factor in enumerate(factors)
    ]
    return expression(" + ".join(terms))
