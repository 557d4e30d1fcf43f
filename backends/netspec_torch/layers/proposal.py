"""Proposal in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, function
from .anchor_generator import shifted_anchors
from .nms import suppress


def proposal(scores, shifts, im_info, anchors, stride, min_size, before, after, threshold):
    """Return regions of interest as rows n x1 y1 x2 y2, and their scores."""
    scores, shifts, im_info = scores.detach(), shifts.detach(), im_info.detach()
    images = scores.shape[0]
    start = shifted_anchors(scores, anchors, stride)
    width, height = start[:, 2] - start[:, 0] + 1, start[:, 3] - start[:, 1] + 1
    dx, dy, dw, dh = shifts.permute(0, 2, 3, 1).reshape(images, -1, 4).unbind(2)
    x, y = dx * width + start[:, 0] + width / 2, dy * height + start[:, 1] + height / 2
    width, height = dw.exp() * width, dh.exp() * height
    boxes = torch.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], 2)
    limit = (im_info[:, [1, 0, 1, 0]] - 1)[:, None]
    boxes = torch.minimum(boxes.clamp(min=0), limit)
    least = (min_size * im_info[:, 2:3])[:, :, None]
    small = ((boxes[:, :, 2:] - boxes[:, :, :2] + 1) < least).any(2)
    scores = scores[:, len(anchors) :].permute(0, 2, 3, 1).reshape(images, -1)
    scores = scores.masked_fill(small, float("-inf"))
    scores, order = scores.sort(dim=1, descending=True, stable=True)
    scores, order = scores[:, :before], order[:, :before]
    boxes = boxes.gather(1, order[:, :, None].expand(-1, -1, 4))
    taken, found = suppress(boxes, scores, threshold, after, 1)
    boxes = boxes.gather(1, taken[:, :, None].expand(-1, -1, 4)).where(found[:, :, None], 0)
    index = torch.arange(images, device=boxes.device, dtype=boxes.dtype)[:, None, None]
    rows = torch.cat([index.expand(images, after, 1), boxes], 2)
    return rows.reshape(-1, 5), scores.gather(1, taken).where(found, 0).reshape(-1, 1)


proposal.uses = (shifted_anchors, suppress)


def lower(node: Node) -> Lowered:
    """Return the regions, and where there is a second top also their scores."""
    layer = node.layer
    lowered = function(
        proposal,
        anchors=layer.anchors(),
        stride=layer.feat_stride,
        min_size=layer.min_size,
        before=layer.pre_nms_topn,
        after=layer.post_nms_topn,
        threshold=float(layer.nms_thresh),
    )
    return lowered if len(node.tops) == 2 else Lowered("", f"{lowered.call}[0]", lowered.uses)
