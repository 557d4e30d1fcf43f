"""GRU in torch."""

from __future__ import annotations

from typing import Any

from netspec.graph import Node

from ..lowering import Lowered, module, unless


def lower(node: Node) -> Lowered:
    """Return nn.GRU."""
    call = "{self}({args})" if len(node.tops) == 2 else "{self}({args})[0]"
    return stacked(node, "nn.GRU", call)


def stacked(node: Node, kind: str, call: str) -> Lowered:
    """Return one of PyTorch's stacks of recurrent layers."""
    layer: Any = node.layer
    return module(
        kind,
        node.bottoms[0].blob.shape[2],
        layer.num_output,
        num_layers=unless(layer.num_layers, 1),
        bias=unless(layer.bias_term, True),
        batch_first=layer.batch_first or None,
        dropout=float(layer.dropout) or None,
        bidirectional=layer.directions == 2 or None,
        call=call,
    )
