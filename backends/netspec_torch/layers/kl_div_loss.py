"""KLDivLoss in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, function


def lower(node: Node) -> Lowered:
    """Return F.kl_div, averaged over the batch."""
    a, b = (value.blob for value in node.bottoms)
    bottoms = "{args}" if a.shape == b.shape else "{0}, {1}.reshape({0}.shape)"
    log = node.layer.log_target or None
    return function("F.kl_div", bottoms=bottoms, reduction="batchmean", log_target=log)
