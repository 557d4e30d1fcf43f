"""Eltwise in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, expression, function, literal


def largest(x, y, *others):
    """Return the largest of each element; among equals only one gets the gradient."""
    top = torch.where(x > y, x, y)
    for other in others:
        top = torch.where(other > top, other, top)
    return top


class UnstableProduct(torch.autograd.Function):
    """A product whose gradient is y / x, so that it is NaN where x is 0."""

    @staticmethod
    def forward(ctx, *xs):
        y = xs[0]
        for x in xs[1:]:
            y = y * x
        ctx.save_for_backward(y, *xs)
        return y

    @staticmethod
    def backward(ctx, grad):
        y, *xs = ctx.saved_tensors
        return tuple((grad * y / x).sum_to_size(x.shape) for x in xs)


def lower(node: Node) -> Lowered:
    """Return a sum, product or maximum of all bottoms."""
    layer, count = node.layer, len(node.bottoms)
    if layer.operation == "PROD" and not layer.stable_prod_grad:
        return expression("UnstableProduct.apply({args})", UnstableProduct)
    if layer.operation == "PROD":
        return expression(" * ".join(f"{{{i}}}" for i in range(count)))
    if layer.operation == "MAX":
        return function(largest)
    factors = layer.coefficients or [1] * count
    terms = [
        f"{{{i}}}" if factor == 1 else f"{literal(float(factor))} * {{{i}}}"
        for i, factor in enumerate(factors)
    ]
    return expression(" + ".join(terms))
