"""YoloDetection in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, function, unless


def yolo_parts(x, side, classes, num):
    """Return classes, confidences and boxes of each cell: N x cells x .., x num, x num x 4."""
    cells = side * side
    parts = x.flatten(1).split([cells * classes, cells * num, cells * num * 4], 1)
    shapes = (cells, classes), (cells, num), (cells, num, 4)
    return [part.unflatten(1, shape) for part, shape in zip(parts, shapes, strict=True)]


def yolo_detection(x, side, classes, num, sqrt=True, softmax=False):
    """Return rows of centre x, y, w, h, confidence, and a score for each class."""
    likely, sure, boxes = yolo_parts(x, side, classes, num)
    likely = likely.softmax(2) if softmax else likely
    place = torch.arange(side * side, device=x.device)[:, None]
    corner = torch.stack([place % side, place // side], 2).to(x.dtype)
    centre, sides = (boxes[..., :2] + corner) / side, boxes[..., 2:]
    rows = [centre, sides * sides if sqrt else sides, sure[..., None]]
    rows.append(sure[..., None] * likely[:, :, None])
    return torch.cat(rows, 3).flatten(1, 2)


yolo_detection.uses = (yolo_parts,)


def lower(node: Node) -> Lowered:
    """Return a row for each box."""
    layer = node.layer
    return function(
        yolo_detection,
        layer.side,
        layer.classes,
        layer.num,
        sqrt=unless(layer.sqrt, True),
        softmax=layer.softmax or None,
    )
