"""PixelUnshuffle in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, module


def lower(node: Node) -> Lowered:
    """Return nn.PixelUnshuffle."""
    return module("nn.PixelUnshuffle", node.layer.downscale_factor)
