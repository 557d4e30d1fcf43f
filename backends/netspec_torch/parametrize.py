"""Weights that are computed from what is stored: spectral norm and equalised learning rates."""

from __future__ import annotations

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
        made = f"EqualizedRate({literal(layer.equalized_gain * inputs**-0.5)})"
        call = f'nn.utils.parametrize.register_parametrization({{self}}, "weight", {made})'
        return Lowered("", call, (EqualizedRate,))
    return None


def plain(name: str) -> str:
    """Return the name of a weight before it is parametrized."""
    return "weight" if name == "parametrizations.weight.original" else name
