"""Reorg in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, function


def reorg(x, s):
    """Return darknet's reordering: blocks of the same memory, seen with fewer, larger channels."""
    n, c, h, w = x.shape
    x = x.reshape(n, c // (s * s), h, s, w, s).permute(0, 3, 5, 1, 2, 4)
    return x.reshape(n, c * s * s, h // s, w // s)


def reorg_back(x, s):
    """Return groups of channels as blocks of pixels."""
    n, c, h, w = x.shape
    x = x.reshape(n, s, s, c // (s * s), h, w).permute(0, 3, 4, 1, 5, 2)
    return x.reshape(n, c // (s * s), h * s, w * s)


def space_to_depth(x, s):
    """Return blocks of pixels as groups of channels."""
    n, c, h, w = x.shape
    x = x.reshape(n, c, h // s, s, w // s, s).permute(0, 3, 5, 1, 2, 4)
    return x.reshape(n, c * s * s, h // s, w // s)


def lower(node: Node) -> Lowered:
    """Return a reordering."""
    layer = node.layer
    forward = space_to_depth if layer.whole_pixels else reorg
    return function(reorg_back if layer.reverse else forward, layer.stride)
