"""Detection layers against plain loops over boxes, written after the originals."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")


def build(tmp_path: Any, entry: dict[str, Any], inputs: dict[str, Any]) -> Any:
    import netspec

    spec = {
        "name": "one",
        "inputs": {name: list(array.shape) for name, array in inputs.items()},
        "layers": [{"name": "y", "bottom": list(inputs), **entry}],
    }
    path = tmp_path / "net.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return netspec.build(str(path))


def iou(a: Any, b: Any, edge: int = 0) -> float:
    sides = [min(a[i + 2], b[i + 2]) - max(a[i], b[i]) + edge for i in (0, 1)]
    both = max(sides[0], 0) * max(sides[1], 0)
    areas = [(c[2] - c[0] + edge) * (c[3] - c[1] + edge) for c in (a, b)]
    return float(both / (sum(areas) - both))


def boxes_of(rng: Any, count: int) -> Any:
    low = rng.uniform(0, 0.7, (count, 2))
    return np.concatenate([low, low + rng.uniform(0.05, 0.3, (count, 2))], 1).astype(np.float32)


@pytest.mark.parametrize("normalized", [True, False])
def test_nms(normalized: bool, tmp_path: Any) -> None:
    rng = np.random.default_rng(1)
    boxes = np.stack([boxes_of(rng, 50) for _ in range(3)]) * (1 if normalized else 40)
    scores = rng.random((3, 50)).astype(np.float32)
    scores[:, 7] = scores[:, 9]  # ties
    fields = {
        "top_k": 30, "nms_threshold": 0.3, "score_threshold": 0.1, "normalized": normalized,
    }  # fmt: skip
    entry = {"type": "NMS", "top": ["rows", "index"], "nms_param": fields}
    net = build(tmp_path, entry, {"boxes": boxes, "scores": scores})
    found = net(torch.from_numpy(boxes), torch.from_numpy(scores))
    for n in range(3):
        kept: list[int] = []
        for i in np.argsort(-scores[n], kind="stable"):
            free = all(iou(boxes[n][i], boxes[n][j], 1 - normalized) <= 0.3 for j in kept)
            if scores[n][i] > 0.1 and free:
                kept.append(int(i))
        kept = kept[:30]
        index = found["index"][n].tolist()
        assert index == kept + [-1] * (30 - len(kept))
        rows = found["rows"][n].numpy()
        assert (rows[: len(kept), :4] == boxes[n][kept]).all()
        assert (rows[: len(kept), 4] == scores[n][kept]).all()
        assert not rows[len(kept) :].any()


def test_anchors_of_faster_rcnn(tmp_path: Any) -> None:
    # the nine anchors that rbgirshick/py-faster-rcnn prints in generate_anchors.py, moved to 0
    known = [
        [-83, -39, 100, 56], [-175, -87, 192, 104], [-359, -183, 376, 200],
        [-55, -55, 72, 72], [-119, -119, 136, 136], [-247, -247, 264, 264],
        [-35, -79, 52, 96], [-79, -167, 96, 184], [-167, -343, 184, 360],
    ]  # fmt: skip
    x = torch.zeros(1, 1, 2, 3)
    found = build(tmp_path, {"type": "AnchorGenerator"}, {"x": x})(x).reshape(2, 3, 9, 4)
    expected = torch.tensor(known, dtype=torch.float32) - 1
    assert (found[0, 0] == expected).all()
    assert (found[1, 2] == expected + torch.tensor([32.0, 16.0, 32.0, 16.0])).all()


def test_proposal_pads_with_zero_boxes_and_drops_small_ones(tmp_path: Any) -> None:
    scores = torch.rand(2, 18, 2, 2, generator=torch.Generator().manual_seed(0))
    info = torch.tensor([[32.0, 32.0, 1.0], [32.0, 40.0, 1.5]])
    inputs = {"scores": scores, "shifts": torch.zeros(2, 36, 2, 2), "info": info}
    fields = {"post_nms_topn": 40, "nms_thresh": 0.9}
    entry = {"type": "Proposal", "top": ["rois", "rated"], "proposal_param": fields}
    found = build(tmp_path, entry, inputs)(*inputs.values())
    rois, rated = found["rois"].view(2, 40, 5), found["rated"].view(2, 40)
    for n, (height, width, scale) in enumerate(info.tolist()):
        rows = rois[n][rated[n] > 0]
        assert 0 < len(rows) < 40
        assert (rois[n, :, 0] == n).all()
        assert not rois[n, len(rows) :, 1:].any()
        assert (rows[:, 1:].min() >= 0) and (rows[:, 3].max() <= width - 1)
        assert rows[:, 4].max() <= height - 1
        assert ((rows[:, 3:] - rows[:, 1:3] + 1) >= 16 * scale).all()
        assert (rated[n].diff() <= 0).all()


LOSSES: list[dict[str, Any]] = [
    {},
    {"code_type": "CENTER_SIZE", "conf_loss_type": "LOGISTIC"},
    {"code_type": "CORNER_SIZE", "mining_type": "NONE", "loc_loss_type": "L2"},
    {"match_type": "BIPARTITE", "neg_pos_ratio": 1.5, "neg_overlap": 0.2, "loc_weight": 2.0},
    {"use_difficult_gt": False, "code_type": "CENTER_SIZE", "background_label_id": 2},
]


@pytest.mark.parametrize("fields", LOSSES)
@pytest.mark.parametrize("norm", ["VALID", "FULL", "BATCH_SIZE", "NONE"])
def test_multi_box_loss(fields: dict[str, Any], norm: str, tmp_path: Any) -> None:
    rng = np.random.default_rng(5)
    images, count, classes = 3, 40, 4
    background = fields.get("background_label_id", 0)
    priors = boxes_of(rng, count)
    variances = np.broadcast_to(np.float32([0.1, 0.1, 0.2, 0.2]), priors.shape)
    labels = [label for label in range(classes) if label != background]
    true = [
        [n, rng.choice(labels), 0, *priors[rng.integers(count)] + rng.normal(0, 0.02, 4), k == 1]
        for n in (0, 2)  # none in the image 1
        for k in range(4)
    ]
    true = np.float32([*true, [-1] * 8]).reshape(1, 1, -1, 8)
    arrays = {
        "loc": rng.standard_normal((images, count * 4)).astype(np.float32),
        "conf": rng.standard_normal((images, count * classes)).astype(np.float32),
        "prior": np.stack([priors, variances]).reshape(1, 2, -1),
        "true": true,
    }
    entry = {
        "type": "MultiBoxLoss", "multibox_loss_param": {"num_classes": classes, **fields},
        "loss_param": {"normalization": norm},
    }  # fmt: skip
    net = build(tmp_path, entry, arrays)
    tensors = [torch.from_numpy(array) for array in arrays.values()]
    found = net(*[tensors[0].requires_grad_(), tensors[1].requires_grad_(), *tensors[2:]])
    found = found["loss"] if isinstance(found, dict) else found
    expected = plain_loss(arrays, priors, variances, classes, background, norm, fields)
    assert abs(found.item() - expected) < 1e-4 * abs(expected)
    found.backward()
    assert torch.isfinite(tensors[0].grad).all() and tensors[1].grad.abs().sum() > 0


def plain_loss(
    arrays: Any, priors: Any, variances: Any, classes: int, background: int, norm: str, fields: Any
) -> float:
    images, count = len(arrays["loc"]), len(priors)
    loc = arrays["loc"].reshape(images, count, 4).astype(np.float64)
    conf = arrays["conf"].reshape(images, count, classes).astype(np.float64)
    total_loc = total_conf = 0.0
    total = 0
    for n in range(images):
        rows = [r for r in arrays["true"][0, 0] if r[0] == n]
        if not fields.get("use_difficult_gt", True):
            rows = [r for r in rows if not r[7]]
        matched, best = match(priors, rows, fields.get("match_type", "PER_PREDICTION"))
        total += len(matched)
        cost = []
        for i in range(count):
            label = int(rows[matched[i]][1]) if i in matched else background
            score = conf[n, i]
            if fields.get("conf_loss_type") == "LOGISTIC":
                one = np.eye(classes)[label]
                p = 1 / (1 + np.exp(-score))
                cost.append(-(one * np.log(p) + (1 - one) * np.log(1 - p)).sum())
            else:
                cost.append(np.log(np.exp(score).sum()) - score[label])
        counted = set(range(count))
        if fields.get("mining_type") != "NONE":
            limit = fields.get("neg_overlap", 0.5)
            free = [i for i in range(count) if i not in matched and best[i] < limit]
            free.sort(key=lambda i: -cost[i])
            counted = {*matched, *free[: int(len(matched) * fields.get("neg_pos_ratio", 3.0))]}
        total_conf += sum(cost[i] for i in counted)
        for i, g in matched.items():
            a, b = priors[i].astype(np.float64), rows[g][3:7].astype(np.float64)
            w, h = a[2] - a[0], a[3] - a[1]
            code = fields.get("code_type", "CORNER")
            if code == "CENTER_SIZE":
                target = [
                    (b[0] + b[2] - a[0] - a[2]) / 2 / w, (b[1] + b[3] - a[1] - a[3]) / 2 / h,
                    np.log((b[2] - b[0]) / w), np.log((b[3] - b[1]) / h),
                ]  # fmt: skip
            else:
                target = (b - a) / (np.array([w, h, w, h]) if code == "CORNER_SIZE" else 1)
            d = np.abs(np.array(target) / variances[i] - loc[n, i])
            smooth = np.where(d < 1, d * d / 2, d - 0.5)
            total_loc += (d * d / 2 if fields.get("loc_loss_type") == "L2" else smooth).sum()
    divisor = {"VALID": total, "FULL": images * count, "BATCH_SIZE": images, "NONE": 1}[norm]
    return float((fields.get("loc_weight", 1.0) * total_loc + total_conf) / max(divisor, 1))


def match(priors: Any, rows: Any, kind: str) -> tuple[dict[int, int], Any]:
    overlap = np.array([[iou(p, r[3:7]) for r in rows] for p in priors]).reshape(len(priors), -1)
    best = overlap.max(1, initial=0)
    matched: dict[int, int] = {}
    pool = set(range(len(rows)))
    while pool:
        pairs = [(overlap[i, g], -i, -g) for i in range(len(priors)) if i not in matched
                 for g in pool]  # fmt: skip
        value, i, g = max(pairs)
        if value <= 1e-6:
            break
        matched[-i] = -g
        pool.remove(-g)
    if kind == "PER_PREDICTION" and len(rows):
        for i in range(len(priors)):
            if i not in matched and best[i] >= 0.5:
                matched[i] = int(overlap[i].argmax())
    return matched, best


@pytest.mark.parametrize("sqrt", [True, False])
@pytest.mark.parametrize("rescore", [True, False])
def test_yolo_loss(sqrt: bool, rescore: bool, tmp_path: Any) -> None:
    rng = np.random.default_rng(2)
    images, side, classes, num = 2, 3, 4, 2
    cells = side * side
    x = rng.uniform(0.05, 0.9, (images, cells * (classes + 5 * num))).astype(np.float32)
    true = rng.uniform(0.1, 0.8, (images, cells, 5 + classes)).astype(np.float32)
    true[:, :, 0] = rng.random((images, cells)) < 0.5
    # overlaps nothing: the nearest box is taken
    true[0, 0, 0], true[0, 0, -4:] = 1, (-5, -5, 0.01, 0.01)
    arrays = {"x": x, "true": true.reshape(images, -1)}
    fields = {"side": side, "classes": classes, "num": num, "sqrt": sqrt, "rescore": rescore}
    net = build(tmp_path, {"type": "YoloLoss", "yolo_loss_param": fields}, arrays)
    found = net(*map(torch.from_numpy, arrays.values()))
    found = (found["loss"] if isinstance(found, dict) else found).item()
    cost = 0.0
    for n in range(images):
        likely, sure = x[n, : cells * classes], x[n, cells * classes :][: cells * num]
        coords = x[n, cells * (classes + num) :].reshape(cells, num, 4).astype(np.float64)
        for i in range(cells):
            t = true[n, i].astype(np.float64)
            p = sure[i * num :][:num].astype(np.float64)
            cost += 0.5 * (p**2).sum()
            if not t[0]:
                continue
            cost += ((t[1:-4] - likely[i * classes :][:classes]) ** 2).sum()
            goal = [t[-4] / side, t[-3] / side, t[-2], t[-1]]
            best, best_iou, best_far = 0, 0.0, 20.0
            for j in range(num):
                made = coords[i, j] / [side, side, 1, 1]
                made[2:] = made[2:] ** 2 if sqrt else made[2:]
                overlap = iou(corners(made), corners(goal))
                far = ((made - goal) ** 2).sum() ** 0.5
                if best_iou > 0 or overlap > 0:
                    if overlap > best_iou:
                        best, best_iou = j, overlap
                elif far < best_far:
                    best, best_far = j, far
            wanted = best_iou if rescore else 1
            cost += (wanted - p[best]) ** 2 - 0.5 * p[best] ** 2
            shift = t[-4:].copy()
            shift[2:] = shift[2:] ** 0.5 if sqrt else shift[2:]
            cost += 5 * ((shift - coords[i, best]) ** 2).sum()
    assert abs(found - cost / images) < 1e-4 * cost


def corners(box: Any) -> list[float]:
    x, y, w, h = box
    return [x - w / 2, y - h / 2, x + w / 2, y + h / 2]


def test_yolo_detection(tmp_path: Any) -> None:
    side, classes, num = 3, 4, 2
    x = torch.rand(2, 9 * (classes + 5 * num))
    fields = {"side": side, "classes": classes, "num": num}
    net = build(tmp_path, {"type": "YoloDetection", "yolo_detection_param": fields}, {"x": x})
    rows = net(x)
    assert rows.shape == (2, 18, 9)
    cell, box = 5, 1  # the third of the second line
    at = 9 * (classes + num) + (cell * num + box) * 4
    cx, cy, w, h = x[1, at : at + 4]
    sure = x[1, 9 * classes + cell * num + box]
    expected = [(cx + 2) / 3, (cy + 1) / 3, w * w, h * h, sure]
    expected += list(sure * x[1, cell * classes : (cell + 1) * classes])
    assert torch.allclose(rows[1, cell * num + box], torch.stack(expected))
