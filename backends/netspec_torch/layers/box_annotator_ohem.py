"""BoxAnnotatorOHEM in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, function, unless


def hard_examples(rois, cost, label, weight, count, ignore_label=-1):
    """Return labels and weights, the latter 0, where a region is of the dearest of its image."""
    shape = rois.shape[0], 1, *[*rois.shape[2:], 1, 1][:2]
    image = rois.detach()[:, 0].reshape(-1).long()
    order = cost.detach().reshape(-1).argsort(descending=True, stable=True)
    order = order[image[order].argsort(stable=True)]
    images = image[order]
    place = torch.arange(len(order), device=order.device) - torch.searchsorted(images, images)
    kept = torch.zeros_like(order).scatter(0, order, (place < count).long()).bool().reshape(shape)
    label = label.detach().reshape(shape)
    weight = weight.detach().reshape(shape[0], -1, *shape[2:])
    label = label.where(kept, torch.full_like(label, ignore_label))
    return label, weight.where(kept, torch.zeros_like(weight))


def lower(node: Node) -> Lowered:
    """Return labels and weights."""
    layer = node.layer
    return function(
        hard_examples, count=layer.roi_per_img, ignore_label=unless(layer.ignore_label, -1)
    )
