"""Interp in torch."""

from __future__ import annotations

import torch.nn.functional as F

from netspec.graph import Node

from ..lowering import Lowered, function


def interp(x, size=None, zoom=1, shrink=1, cut=(0, 0)):
    """Return x cut, then resized so that the corners stay."""
    if any(cut):
        x = F.pad(x, (*cut, *cut))
    if size is None:
        size = [(extent - 1) // shrink + 1 for extent in x.shape[2:]]
        size = [extent + (extent - 1) * (zoom - 1) for extent in size]
    return F.interpolate(x, size=size, mode="bilinear", align_corners=True)


def lower(node: Node) -> Lowered:
    """Return a bilinear interpolation."""
    layer = node.layer
    cut = (layer.pad_beg, layer.pad_end)
    return function(
        interp,
        size=(layer.height, layer.width) if layer.height is not None else None,
        zoom=layer.zoom_factor,
        shrink=layer.shrink_factor,
        cut=cut if any(cut) else None,
    )
