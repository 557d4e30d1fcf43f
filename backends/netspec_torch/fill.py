"""Caffe's fillers: how weights start. Source: BVLC/caffe, include/caffe/filler.hpp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from .lowering import literal


def constant_(weight, value=0.0):
    """Set every element to `value`."""
    return nn.init.constant_(weight, value)


def fan(weight, norm="FAN_IN"):
    """Return Caffe's fan: in = count / shape[0], out = count / shape[1], or their mean."""
    count = weight.numel()
    outputs, inputs = (*weight.shape, 1, 1)[:2]
    fan_in, fan_out = count / outputs, count / inputs
    return {"FAN_IN": fan_in, "FAN_OUT": fan_out, "AVERAGE": (fan_in + fan_out) / 2}[norm]


def xavier_(weight, norm="FAN_IN"):
    """Draw from U(-s, s), s = sqrt(3 / fan)."""
    bound = (3.0 / fan(weight, norm)) ** 0.5
    return nn.init.uniform_(weight, -bound, bound)


xavier_.uses = (fan,)


def msra_(weight, norm="FAN_IN"):
    """Draw from N(0, sqrt(2 / fan))."""
    return nn.init.normal_(weight, 0.0, (2.0 / fan(weight, norm)) ** 0.5)


msra_.uses = (fan,)


def uniform_(weight, low=0.0, high=1.0):
    """Draw from U(low, high)."""
    return nn.init.uniform_(weight, low, high)


def gaussian_(weight, mean=0.0, std=1.0, sparse=-1):
    """Draw from N(mean, std); `sparse` keeps about so many inputs of each output, others are 0."""
    nn.init.normal_(weight, mean, std)
    if sparse >= 0:
        with torch.no_grad():
            keep = min(sparse / weight.shape[0], 1.0) if weight.dim() else 1.0
            weight.mul_(torch.bernoulli(torch.full_like(weight, keep)))
    return weight


def positive_unitball_(weight):
    """Draw from U(0, 1), then scale each output's inputs to the sum 1."""
    with torch.no_grad():
        outputs = weight.shape[0] if weight.dim() else 1
        flat = nn.init.uniform_(weight).view(outputs, -1)
        flat.div_(flat.sum(1, keepdim=True))
    return weight


def bilinear_(weight):
    """Set every filter to the kernel of bilinear upsampling by stride = ceil(kernel / 2)."""
    size = weight.shape[-1]
    factor = (size + 1) // 2
    centre = (2 * factor - 1 - factor % 2) / (2.0 * factor)
    line = 1 - (torch.arange(size, dtype=torch.float64) / factor - centre).abs()
    with torch.no_grad():
        return weight.copy_((line[:, None] * line[None, :]).expand_as(weight))


def choose(filler: dict[str, Any]) -> tuple[Callable[..., Any], list[str]]:
    """Return the function of a FillerParameter and its further arguments as source."""
    kind = filler.get("type", "constant")
    norm = filler.get("variance_norm")
    if kind in ("xavier", "msra"):
        return {"xavier": xavier_, "msra": msra_}[kind], [literal(norm)] if norm else []
    if kind == "uniform":
        low, high = float(filler.get("min", 0)), float(filler.get("max", 1))
        return uniform_, [literal(low), literal(high)]
    if kind == "gaussian":
        given = [literal(float(filler.get("mean", 0))), literal(float(filler.get("std", 1)))]
        sparse = filler.get("sparse", -1)
        return gaussian_, [*given, literal(sparse)] if sparse >= 0 else given
    if kind == "positive_unitball":
        return positive_unitball_, []
    if kind == "bilinear":
        return bilinear_, []
    return constant_, [literal(float(filler.get("value", 0)))]
