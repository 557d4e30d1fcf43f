"""PixelShuffle in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, module


def lower(node: Node) -> Lowered:
    """Return nn.PixelShuffle."""
    return module("nn.PixelShuffle", node.layer.upscale_factor)
