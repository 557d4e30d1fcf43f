"""AnchorGenerator in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, function


def shifted_anchors(x, anchors, stride):
    """Return the anchors at each pixel of a map: rows x1 y1 x2 y2, in the order y, x, anchor."""
    height, width = x.shape[2:]
    ys = torch.arange(height, device=x.device, dtype=x.dtype)[:, None].expand(height, width)
    xs = torch.arange(width, device=x.device, dtype=x.dtype).expand(height, width)
    shifts = torch.stack([xs, ys, xs, ys], 2).reshape(-1, 1, 4) * stride
    return (shifts + torch.tensor(anchors, device=x.device, dtype=x.dtype)).reshape(-1, 4)


def lower(node: Node) -> Lowered:
    """Return the anchors at every pixel."""
    layer = node.layer
    return function(shifted_anchors, layer.anchors(), layer.feat_stride)
