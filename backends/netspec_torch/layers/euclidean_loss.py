"""EuclideanLoss in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, expression


def lower(node: Node) -> Lowered:
    """Return half the sum of squared differences of an item, averaged over the batch."""
    a, b = (value.blob for value in node.bottoms)
    other = "{1}" if a.shape == b.shape else "{1}.reshape({0}.shape)"
    other += "" if a.dtype == b.dtype else ".to({0}.dtype)"
    return expression(f"({{0}} - {other}).square().sum() / (2 * {{0}}.size(0))")
