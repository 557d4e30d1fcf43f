"""DetectionOutput in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, Refused, function, unless
from .nms import suppress


def shifted_boxes(priors, shifts, code):
    """Return prior boxes, rows x1 y1 x2 y2, shifted as the code says."""
    sides = priors[..., 2:] - priors[..., :2]
    first, last = shifts[..., :2], shifts[..., 2:]
    if code == "CENTER_SIZE":
        centres = (priors[..., 2:] + priors[..., :2]) / 2 + first * sides
        half = last.exp() * sides / 2
        return torch.cat([centres - half, centres + half], -1)
    if code == "CORNER_SIZE":
        return priors + torch.cat([first * sides, last * sides], -1)
    return priors + shifts


def detections(
    shifts, scores, priors, classes, keep, code="CORNER", share=True, background=0,
    threshold=0.3, top=None, least=None, scaled=True,
):  # fmt: skip
    """Return rows of image, label, score, x1, y1, x2, y2: `keep` for each image."""
    images = shifts.shape[0]
    priors = priors.detach().reshape(2, -1, 4)
    count = priors.shape[1]
    shifts = shifts.detach().reshape(images, count, -1, 4).transpose(1, 2)
    boxes = shifted_boxes(priors[0], shifts * priors[1] if scaled else shifts, code)
    labels = [label for label in range(classes) if label != background]
    labels = torch.tensor(labels, dtype=torch.long, device=scores.device)
    rated = scores.detach().reshape(images, count, classes).transpose(1, 2)[:, labels]
    boxes = boxes.expand(-1, len(labels), -1, -1) if share else boxes[:, labels]
    if least is not None:
        rated = rated.masked_fill(rated <= least, float("-inf"))
    rated, order = rated.flatten(0, 1).sort(dim=1, descending=True, stable=True)
    rated, order = rated[:, :top], order[:, :top]
    boxes = boxes.flatten(0, 1).gather(1, order[:, :, None].expand(-1, -1, 4))
    taken, found = suppress(boxes, rated, threshold, min(keep, rated.shape[1]), 0)
    rated = rated.gather(1, taken).masked_fill(~found, float("-inf"))
    boxes = boxes.gather(1, taken[:, :, None].expand(-1, -1, 4))
    label = labels.to(boxes.dtype)[None, :, None, None].expand(images, -1, taken.shape[1], 1)
    image = torch.arange(images, device=boxes.device, dtype=boxes.dtype)[:, None, None]
    rows = torch.cat([label.reshape(*rated.shape, 1), rated[:, :, None], boxes], 2)
    rows = rows.reshape(images, -1, 6)
    missing = rows.new_full((images, max(keep - rows.shape[1], 0), 6), float("-inf"))
    rows = torch.cat([rows, missing], 1)
    best = rows[:, :, 1].sort(dim=1, descending=True, stable=True)[1][:, :keep]
    rows = rows.gather(1, best[:, :, None].expand(-1, -1, 6))
    found = rows[:, :, 1] > float("-inf")
    order = rows[:, :, 0].masked_fill(~found, float("inf")).sort(dim=1, stable=True)[1]
    rows = rows.where(found[:, :, None], -1).gather(1, order[:, :, None].expand(-1, -1, 6))
    return torch.cat([image.expand(-1, keep, 1), rows], 2).reshape(1, 1, -1, 7)


detections.uses = (shifted_boxes, suppress)


def lower(node: Node) -> Lowered:
    """Return the rows of detections."""
    layer = node.layer
    nms = layer.nms_param or {}
    if nms.get("eta", 1) != 1:
        raise Refused("nms_param.eta, a threshold that sinks from box to box, is not built")
    top, least = nms.get("top_k", -1), layer.confidence_threshold
    return function(
        detections,
        classes=layer.num_classes,
        keep=layer.keep_top_k,
        code=unless(layer.code_type, "CORNER"),
        share=unless(layer.share_location, True),
        background=layer.background_label_id or None,
        threshold=float(nms["nms_threshold"]) if "nms_threshold" in nms else None,
        top=top if top > 0 else None,
        least=None if least is None else float(least),
        scaled=False if layer.variance_encoded_in_target else None,
    )
