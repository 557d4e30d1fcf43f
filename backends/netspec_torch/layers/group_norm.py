"""GroupNorm in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, module


def lower(node: Node) -> Lowered:
    """Return nn.GroupNorm."""
    layer, x = node.layer, node.bottoms[0].blob
    eps = float(layer.eps) if layer.eps != 1e-5 else None
    affine = None if layer.affine else False
    return module("nn.GroupNorm", int(layer.num_groups), x.channels, eps=eps, affine=affine)
