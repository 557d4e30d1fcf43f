"""BNLL in torch."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from netspec.graph import Node

from ..lowering import Lowered, expression


class BNLLInPlace(torch.autograd.Function):
    """Softplus whose gradient is taken at its result, as Caffe's is in place."""

    @staticmethod
    def forward(ctx, x):
        y = F.softplus(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, gradient):
        (y,) = ctx.saved_tensors
        return gradient * torch.sigmoid(y)


def lower(node: Node) -> Lowered:
    """Return softplus."""
    if node.in_place:
        return expression("BNLLInPlace.apply({0})", BNLLInPlace)
    return expression("F.softplus({0})")
