"""YoloLoss in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, function, unless
from .yolo_detection import yolo_parts


def centred_overlap(a, b):
    """Return the overlap of boxes given as centre x, y, w, h: intersection over union."""
    low = torch.maximum(a[..., :2] - a[..., 2:] / 2, b[..., :2] - b[..., 2:] / 2)
    high = torch.minimum(a[..., :2] + a[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2)
    both = (high - low).clamp(min=0).prod(-1)
    union = a[..., 2:].prod(-1) + b[..., 2:].prod(-1) - both
    return (both / union).where(both > 0, 0)


def yolo_loss(
    x, true, side, classes, num, sqrt=True, rescore=True, object_scale=1.0, noobject_scale=0.5,
    class_scale=1.0, coord_scale=5.0,
):  # fmt: skip
    """Return YOLO's sum of squares for each image."""
    likely, sure, boxes = yolo_parts(x, side, classes, num)
    true = true.detach().flatten(1).unflatten(1, (side * side, 5 + classes))
    there, label, goal = true.split([1, classes, 4], 2)
    there = (there != 0).to(x.dtype)
    with torch.no_grad():
        real, sides = goal[:, :, None], boxes[..., 2:]
        made = torch.cat([boxes[..., :2] / side, sides * sides if sqrt else sides], 3)
        real = torch.cat([real[..., :2] / side, real[..., 2:]], 3)
        overlap = centred_overlap(made, real)
        far = (made - real).square().sum(3)
        best = overlap.argmax(2).where(overlap.amax(2) > 0, far.argmin(2))
        chosen = torch.arange(num, device=x.device) == best[:, :, None]
        chosen = chosen.to(x.dtype) * there
        wanted = chosen * overlap if rescore else chosen
        scale = noobject_scale + (object_scale - noobject_scale) * chosen
        goal = torch.cat([goal[..., :2], goal[..., 2:].sqrt() if sqrt else goal[..., 2:]], 2)
    loss = (scale * (wanted - sure).square()).sum()
    loss = loss + class_scale * (there * (label - likely).square()).sum()
    shift = (goal[:, :, None] - boxes).square().sum(3)
    return (loss + coord_scale * (chosen * shift).sum()) / x.shape[0]


yolo_loss.uses = (yolo_parts, centred_overlap)


def lower(node: Node) -> Lowered:
    """Return the loss as a function of numbers and truth."""
    layer = node.layer
    scales = ("object_scale", "noobject_scale", "class_scale", "coord_scale")
    return function(
        yolo_loss,
        layer.side,
        layer.classes,
        layer.num,
        sqrt=unless(layer.sqrt, True),
        rescore=unless(layer.rescore, True),
        **{name: float(getattr(layer, name)) for name in scales},
    )
