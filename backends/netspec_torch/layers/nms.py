"""NMS in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, function


def suppress(boxes, scores, threshold, count, edge):
    """Take the best boxes of each row that overlap no taken one: indices, and whether there is one.

    `edge` is 1 for boxes that include their last pixel. Scores of minus infinity do not count.
    """
    x1, y1, x2, y2 = boxes.unbind(2)
    areas = (x2 - x1 + edge).clamp(min=0) * (y2 - y1 + edge).clamp(min=0)
    taken, found = [], []
    for _ in range(count):
        best = scores.argmax(1, keepdim=True)
        taken.append(best)
        found.append(scores.gather(1, best) > float("-inf"))
        right, bottom = (torch.minimum(end, end.gather(1, best)) for end in (x2, y2))
        left, top = (torch.maximum(start, start.gather(1, best)) for start in (x1, y1))
        both = (right - left + edge).clamp(min=0) * (bottom - top + edge).clamp(min=0)
        overlap = both > threshold * (areas + areas.gather(1, best) - both)
        scores = scores.masked_fill(overlap, float("-inf")).scatter(1, best, float("-inf"))
    return torch.cat(taken, 1), torch.cat(found, 1)


def nms(boxes, scores, threshold, count, score_threshold=None, edge=0):
    """Return the best boxes with their scores, and their indices."""
    boxes, scores = boxes.detach(), scores.detach()
    rated = scores
    if score_threshold is not None:
        rated = scores.masked_fill(scores <= score_threshold, float("-inf"))
    taken, found = suppress(boxes, rated, threshold, count, edge)
    rows = torch.cat([boxes, scores[:, :, None]], 2)
    rows = rows.gather(1, taken[:, :, None].expand(-1, -1, 5))
    return rows.where(found[:, :, None], 0), taken.where(found, -1)


nms.uses = (suppress,)


def lower(node: Node) -> Lowered:
    """Return the rows, and where there is a second top also where they were."""
    layer = node.layer
    lowered = function(
        nms,
        float(layer.nms_threshold),
        layer.top_k,
        score_threshold=None if layer.score_threshold is None else float(layer.score_threshold),
        edge=None if layer.normalized else 1,
    )
    return lowered if len(node.tops) == 2 else Lowered("", f"{lowered.call}[0]", lowered.uses)
