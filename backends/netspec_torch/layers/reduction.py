"""Reduction in torch."""

from __future__ import annotations

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, expression, literal

CALLS = {
    "SUM": "{x}.sum({dim})",
    "ASUM": "{x}.abs().sum({dim})",
    "SUMSQ": "{x}.square().sum({dim})",
    "MEAN": "{x}.mean({dim})",
}


def lower(node: Node) -> Lowered:
    """Return a sum or mean over the last axes."""
    x, layer = node.bottoms[0].blob, node.layer
    axis = canonical_axis(layer, "axis", x)
    dims = ", ".join(map(str, range(axis - x.rank, 0)))
    dim = f"({dims})" if axis < x.rank - 1 else dims
    text = CALLS[layer.operation].format(x="{0}", dim=dim if axis else "")
    return expression(text if layer.coeff == 1 else f"{literal(float(layer.coeff))} * {text}")
