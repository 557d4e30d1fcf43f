"""MultiBoxLoss in torch."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from netspec.graph import Node

from ..lowering import Lowered, Refused, function


def overlaps(a, b):
    """Return the overlap of each box of `a` with each of `b`: intersection over union."""
    low = torch.maximum(a[:, None, :2], b[None, :, :2])
    high = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    both = (high - low).clamp(min=0).prod(2)
    areas = [(box[:, 2:] - box[:, :2]).clamp(min=0).prod(1) for box in (a, b)]
    return both / (areas[0][:, None] + areas[1][None, :] - both).clamp(min=1e-20)


def matches(priors, image, boxes, images, threshold):
    """Return for each image and prior the true box it is matched with, or -1; and its overlap.

    Each true box takes the free prior it overlaps most, best pairs first; then each free prior the
    box it overlaps most, where that is not less than `threshold`.
    """
    count = len(boxes)
    overlap = overlaps(priors, boxes) * (image >= 0)
    overlap = overlap.where(overlap > 1e-6, 0)
    row = image.clamp(min=0)[:, None].expand(-1, len(priors))
    best = overlap.new_zeros(images, len(priors)).scatter_reduce(0, row, overlap.t(), "amax")
    matched = torch.full((images * len(priors),), -1, device=priors.device)
    free = overlap.clone()
    for _ in range(count):
        value, place = free.flatten().max(0)
        prior, box = place // count, place % count
        at = image[box].clamp(min=0) * len(priors) + prior
        matched = matched.scatter(0, at[None], box.where(value > 0, matched[at])[None])
        mine = torch.arange(count, device=priors.device) == box
        taken = torch.arange(len(priors), device=priors.device) == prior
        free = free.masked_fill(mine | (taken[:, None] & (image == image[box])), 0)
    matched = matched.view(images, -1)
    if threshold is not None:
        wide = (overlap.t() >= threshold) & (overlap.t() > 0) & (overlap.t() == best.gather(0, row))
        index = torch.arange(count, device=priors.device)[:, None].expand(-1, len(priors))
        first = torch.full_like(matched, count).scatter_reduce(
            0, row, index.where(wide, count), "amin"
        )
        matched = matched.where((matched >= 0) | (first == count), first)
    return matched, best


matches.uses = (overlaps,)


def encoded_boxes(priors, boxes, code):
    """Return the shifts that turn prior boxes into boxes."""
    sides = priors[..., 2:] - priors[..., :2]
    if code == "CENTER_SIZE":
        first = (boxes[..., :2] + boxes[..., 2:] - priors[..., :2] - priors[..., 2:]) / 2 / sides
        return torch.cat([first, ((boxes[..., 2:] - boxes[..., :2]) / sides).log()], -1)
    moved = boxes - priors
    return moved / torch.cat([sides, sides], -1) if code == "CORNER_SIZE" else moved


def multi_box_loss(
    shifts, scores, priors, true, classes, code="CORNER", loc_loss="SMOOTH_L1",
    conf_loss="SOFTMAX", loc_weight=1.0, threshold=None, background=0, difficult=True,
    mining=True, ratio=3.0, neg_overlap=0.5, scaled=True, norm="VALID",
):  # fmt: skip
    """Return the loss of the shifts of matched priors and of the scores that count."""
    images = shifts.shape[0]
    priors, variances = priors.detach().reshape(2, -1, 4).unbind(0)
    true = true.detach().reshape(-1, 8)
    image = true[:, 0].long()
    if not difficult:
        image = image.where(true[:, 7] == 0, -1)
    with torch.no_grad():
        matched, best = matches(priors, image, true[:, 3:7], images, threshold)
        positive = matched >= 0
        box = matched.clamp(min=0)
        target = encoded_boxes(priors, true[:, 3:7][box], code)
        target = (target / variances if scaled else target).where(positive[:, :, None], 0)
        label = true[:, 1].long()[box].where(positive, background)
    shifts = shifts.reshape(images, -1, 4).where(positive[:, :, None], 0)
    if loc_loss == "L2":
        loc = F.mse_loss(shifts, target, reduction="sum") / 2
    else:
        loc = F.smooth_l1_loss(shifts, target, reduction="sum")
    scores = scores.reshape(images, -1, classes)
    if conf_loss == "SOFTMAX":
        conf = -F.log_softmax(scores, 2).gather(2, label[:, :, None])[:, :, 0]
    else:
        one = F.one_hot(label, classes).to(scores.dtype)
        conf = F.binary_cross_entropy_with_logits(scores, one, reduction="none").sum(2)
    if mining:
        free = ~positive & (best < neg_overlap)
        cost = conf.detach().masked_fill(~free, float("-inf"))
        rank = cost.sort(dim=1, descending=True, stable=True)[1].argsort(1)
        wanted = (positive.sum(1, keepdim=True) * ratio).long()
        conf = conf.where(positive | (free & (rank < wanted)), 0)
    total = positive.sum()
    count = {"VALID": total, "FULL": positive.numel(), "BATCH_SIZE": images, "NONE": 1}[norm]
    divisor = count.clamp(min=1) if norm == "VALID" else count
    return (loc_weight * loc + conf.sum()) / divisor


multi_box_loss.uses = (matches, encoded_boxes)


def lower(node: Node) -> Lowered:
    """Return the loss as a function of shifts, scores, priors and true boxes."""
    layer = node.layer
    for name, usual in (
        ("share_location", True),
        ("use_prior_for_matching", True),
        ("map_object_to_agnostic", False),
        ("ignore_cross_boundary_bbox", False),
        ("bp_inside", False),
    ):
        if getattr(layer, name) != usual:
            raise Refused(f"multibox_loss_param.{name}: {str(not usual).lower()} is not built")
    if layer.mining == "HARD_EXAMPLE":
        raise Refused("multibox_loss_param.mining_type: HARD_EXAMPLE is not built")
    per_prior = layer.match_type == "PER_PREDICTION"
    return function(
        multi_box_loss,
        classes=layer.num_classes,
        code=layer.code_type,
        loc_loss=layer.loc_loss_type,
        conf_loss=layer.conf_loss_type,
        loc_weight=float(layer.loc_weight),
        background=layer.background_label_id,
        difficult=layer.use_difficult_gt,
        mining=layer.mining == "MAX_NEGATIVE",
        ratio=float(layer.neg_pos_ratio),
        neg_overlap=float(layer.neg_overlap),
        scaled=not layer.encode_variance_in_target,
        norm=layer.norm,
        **({"threshold": float(layer.overlap_threshold)} if per_prior else {}),
    )
