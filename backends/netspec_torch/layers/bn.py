"""BN in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, Refused, module, unless
from .batch_norm import BatchNorm, least


def lower(node: Node) -> Lowered:
    """Return nn.BatchNorm1d, 2d or 3d, or the form whose statistics are fixed."""
    layer, x = node.layer, node.bottoms[0].blob
    momentum = round(1.0 - layer.momentum, 12)
    momentum = unless(momentum, 0.1)
    eps = least(layer.eps)
    if layer.frozen or layer.bn_mode == "INFERENCE" or node.frozen:
        return module(BatchNorm, x.channels, eps=eps, momentum=momentum, use_global_stats=True)
    if x.size == x.channels:
        return module(BatchNorm, x.channels, eps=eps, momentum=momentum)
    if x.rank > 5:
        raise Refused(f"batch normalisation over {x.rank} axes")
    return module(f"nn.BatchNorm{max(x.rank - 2, 1)}d", x.channels, eps=eps, momentum=momentum)
