"""GRU in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, module, unless


def lower(node: Node) -> Lowered:
    """Return nn.GRU."""
    layer = node.layer
    return module(
        "nn.GRU",
        node.bottoms[0].blob.shape[2],
        layer.num_output,
        num_layers=unless(layer.num_layers, 1),
        bias=unless(layer.bias_term, True),
        batch_first=layer.batch_first or None,
        dropout=float(layer.dropout) or None,
        bidirectional=layer.bidirectional or None,
        call="{self}({args})" if len(node.tops) == 2 else "{self}({args})[0]",
    )
