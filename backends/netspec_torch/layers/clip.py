"""Clip in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, expression, literal


class ClipInPlace(torch.autograd.Function):
    """Clamp whose gradient passes everywhere, as Caffe's does in place."""

    @staticmethod
    def forward(ctx, x, low, high):
        return torch.clamp(x, low, high)

    @staticmethod
    def backward(ctx, gradient):
        return gradient, None, None


def lower(node: Node) -> Lowered:
    """Return torch.clamp."""
    layer = node.layer
    low, high = literal(float(layer.min)), literal(float(layer.max))
    # Caffe's gradient reads the clipped value, which is in the range unless the range is empty
    if node.in_place and layer.min <= layer.max:
        return expression(f"ClipInPlace.apply({{0}}, {low}, {high})", ClipInPlace)
    if layer.min <= layer.max:
        return expression(f"torch.clamp({{0}}, {low}, {high})")
    return expression(f"torch.clamp(torch.clamp({{0}}, max={high}), min={low})")
