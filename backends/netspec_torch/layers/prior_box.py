"""PriorBox in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node
from netspec.layer import listed

from ..lowering import Lowered, function


def prior_box(x, image, boxes, variance, offset, image_size=None, step=None, clip=False):
    """Return the boxes of each pixel, as fractions of the image, over their variances."""
    height, width = x.shape[2:]
    image_h, image_w = image_size or image.shape[2:]
    step_h, step_w = step or (image_h / height, image_w / width)
    real = {"device": x.device, "dtype": torch.float64}
    ys = ((torch.arange(height, **real) + offset) * step_h)[:, None, None]
    xs = ((torch.arange(width, **real) + offset) * step_w)[None, :, None]
    half_w, half_h = (torch.tensor(boxes, **real) / 2).unbind(1)
    sides = (xs - half_w) / image_w, (ys - half_h) / image_h
    sides += (xs + half_w) / image_w, (ys + half_h) / image_h
    rows = torch.stack(torch.broadcast_tensors(*sides), 3).reshape(-1, 4)
    rows = rows.clamp(0, 1) if clip else rows
    spread = torch.tensor(variance, **real).expand_as(rows)
    return torch.stack([rows, spread]).reshape(1, 2, -1).to(x)


def lower(node: Node) -> Lowered:
    """Return the boxes of every pixel."""
    layer = node.layer
    image = (layer.img_h, layer.img_w) if layer.img_h else (layer.img_size,) * 2
    step = (layer.step_h, layer.step_w) if layer.step_h else (layer.step,) * 2
    return function(
        prior_box,
        [tuple(map(float, box)) for box in layer.boxes()],
        [float(value) for value in listed(layer.variance) or [0.1]],
        float(layer.offset),
        image_size=image if image[0] else None,
        step=tuple(map(float, step)) if step[0] else None,
        clip=layer.clip or None,
    )
