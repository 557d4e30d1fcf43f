"""The boxes of Fast and Faster R-CNN's stage `detect`, against py-faster-rcnn's rule by hand."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
import torch

import netspec

sys.path.insert(0, str(Path(__file__).parent))
from narrow import narrow
from references import randomise

REGIONS = torch.tensor(
    [[0.0, 0, 0, 60, 40], [0, 10, 5, 90, 70], [0, 12, 8, 92, 75], [0, 50, 30, 99, 99]]
)


def decoded(region, shift):
    """Return a region moved by (dx, dy, dw, dh), as corners; a pixel is one wide."""
    _, x1, y1, x2, y2 = region
    width, height = x2 - x1 + 1, y2 - y1 + 1
    x, y = x1 + width / 2 + shift[0] * width, y1 + height / 2 + shift[1] * height
    half = width * math.exp(shift[2]) / 2, height * math.exp(shift[3]) / 2
    return x - half[0], y - half[1], x + half[0], y + half[1]


def overlap(a, b):
    """Return the area of the intersection over that of the union."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    inside = max(wide, 0) * max(high, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return inside / (sum(areas) - inside)


def detections(regions, scores, shifts, classes=21):
    """Return (class, score, box) of what is kept: over 0.05, overlapping no better by 0.3."""
    kept = []
    for label in range(1, classes):
        boxes = [
            (
                scores[row, label].item(),
                decoded(region, shifts[row, 4 * label : 4 * label + 4].tolist()),
            )
            for row, region in enumerate(regions.tolist())
            if scores[row, label] > 0.05
        ]
        chosen = []
        for score, box in sorted(boxes, key=lambda each: -each[0]):
            if all(overlap(box, other) <= 0.3 for _, other in chosen):
                chosen.append((score, box))
        kept += [(label, score, box) for score, box in chosen]
    return kept


def same(found, wanted):
    rows = [row for row in found.view(-1, 7).tolist() if row[1] >= 0]
    assert len(rows) == len(wanted) > 5
    for row, (label, score, box) in zip(rows, wanted, strict=True):
        assert row[1] == label
        assert row[2:] == pytest.approx([score, *box], rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("name", ["fast_rcnn_vgg16", "faster_rcnn_vgg16"])
def test_stage_detect_keeps_the_boxes_that_the_rule_keeps(tmp_path, name):
    torch.manual_seed(0)
    path = narrow(tmp_path, name, 16)
    plain = randomise(netspec.build(path, outputs="all"))
    whole = netspec.build(path, stages=["detect"])
    whole.load_state_dict(plain.state_dict())
    data = {"data": torch.randn(1, 3, 100, 131)}
    faster = name.startswith("faster")
    data |= {"im_info": torch.tensor([[100.0, 131, 1]])} if faster else {"rois": REGIONS}
    with torch.no_grad():
        found, seen = whole(**data), plain(**data)
    regions = seen["regions"] if faster else REGIONS
    wanted = detections(regions, seen["cls_prob"], seen["bbox_pred"])
    if len(wanted) > 100:  # the best of all classes
        best = sorted(wanted, key=lambda each: -each[1])[:100]
        wanted = [each for each in wanted if each in best]
    same(found, wanted)
