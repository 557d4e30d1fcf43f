"""MergeCrop in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, expression


def middle(x, like):
    """Return as much of the middle of `x` as `like` has; the odd one is left over at the end."""
    cuts = [slice(None), slice(None)]
    for size, kept in zip(x.shape[2:], like.shape[2:], strict=True):
        cuts.append(slice((size - kept) // 2, (size - kept) // 2 + kept))
    return x[tuple(cuts)]


class Zeroed(torch.autograd.Function):
    """Zeros in place of a blob, whose gradient passes all the same."""

    @staticmethod
    def forward(ctx, x):
        return torch.zeros_like(x)

    @staticmethod
    def backward(ctx, grad):
        return grad


def mixed(a, b):
    """Return the channels of both in the order of the fork's kernel, which turns with the item."""
    total = a.shape[1] + b.shape[1]
    item = torch.arange(a.shape[0], device=a.device)[:, None]
    channel = torch.arange(total, device=a.device)
    place = item * total + channel
    first = (channel // a.shape[1] % 2 == 0).view(-1, *[1] * (a.dim() - 2))
    return torch.where(first, a[item, place % a.shape[1]], b[item, place % b.shape[1]])


def lower(node: Node) -> Lowered:
    """Return the bottoms joined or added, the second cut."""
    layer = node.layer
    uses = [middle]
    parts = []
    for part, forward, backward in zip(
        ("{0}", "middle({1}, {0})"), layer.each("forward"), layer.each("backward"), strict=True
    ):
        if forward:
            parts.append(part if backward else f"{part}.detach()")
        elif backward:
            parts.append(f"Zeroed.apply({part})")
            uses.append(Zeroed)
        else:
            parts.append(f"torch.zeros_like({part})")
    if layer.operation == "ADD":
        return expression(" + ".join(parts), *uses)
    a, b = (bottom.blob for bottom in node.bottoms)
    if a.channels != b.channels:
        return expression(f"mixed({', '.join(parts)})", mixed, *uses)
    return expression(f"torch.cat([{', '.join(parts)}], 1)", *uses)
