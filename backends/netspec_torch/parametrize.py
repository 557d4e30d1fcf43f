"""Weights that are computed from what is stored: spectral norm, equalised rates, signs."""

from __future__ import annotations

import torch
from torch import nn

from netspec.graph import Node

from .lowering import Lowered, Refused, literal


class EqualizedRate(nn.Module):
    """Scale a weight at run time, so that all weights learn at one rate."""

    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, weight):
        return weight * self.scale


class BinaryWeight(nn.Module):
    """Replace each number of a filter by its sign, times the mean magnitude of the filter.

    The gradient reaches the stored numbers as if they were used themselves.
    """

    def __init__(self, axis=0):
        super().__init__()
        self.axis = axis

    def forward(self, weight):
        others = [axis for axis in range(weight.dim()) if axis != self.axis]
        mean = weight.detach().abs().mean(others, keepdim=True)
        return torch.where(weight > 0, mean, -mean) + (weight - weight.detach())


def lower(node: Node) -> Lowered | None:
    """Return the statement on a layer's module `{self}`; None where its weight is as stored."""
    layer, axis = node.layer, node.layer.output_axis()
    if getattr(layer, "spectral_norm", False):
        dim = f", dim={axis}" if axis else ""
        return Lowered("", f"nn.utils.parametrizations.spectral_norm({{self}}{dim})")
    if getattr(layer, "equalized_lr", False):
        weight = node.weights[0]
        inputs = weight.size // weight.shape[axis] // (getattr(layer, "group", 1) if axis else 1)
        if not isinstance(inputs, int):
            raise Refused(f"the size {inputs} is not known: bind its symbols, as with --at H=224")
        return computed(EqualizedRate, literal(layer.equalized_gain * inputs**-0.5))
    if getattr(layer, "binary_weight", False):
        return computed(BinaryWeight, literal(axis) if axis else "")
    return None


def computed(kind: type[nn.Module], arguments: str) -> Lowered:
    """Return the statement that has a module of this file compute the weight."""
    made = f"{kind.__name__}({arguments})"
    call = f'nn.utils.parametrize.register_parametrization({{self}}, "weight", {made})'
    return Lowered("", call, (kind,))


def plain(name: str) -> str:
    """Return the name of a weight before it is parametrized."""
    return "weight" if name == "parametrizations.weight.original" else name
