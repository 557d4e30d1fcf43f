"""InstanceNorm in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, module


def lower(node: Node) -> Lowered:
    """Return nn.InstanceNorm1d, 2d or 3d."""
    layer, x = node.layer, node.bottoms[0].blob
    eps = float(layer.eps) if layer.eps != 1e-5 else None
    return module(f"nn.InstanceNorm{x.rank - 2}d", x.channels, eps=eps, affine=layer.affine or None)
