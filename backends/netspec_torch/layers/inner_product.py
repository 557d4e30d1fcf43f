"""InnerProduct in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, module


def lower(node: Node) -> Lowered:
    """Return nn.Linear on the flattened bottom."""
    weight = node.weights[0]
    inputs = weight.shape[0 if node.layer.transpose else 1]
    return module(
        "nn.Linear",
        inputs,
        node.layer.num_output,
        call="{self}(torch.flatten({0}, 1))",
        bias=None if node.layer.bias_term else False,
    )
