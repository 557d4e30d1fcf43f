"""BidirectionalLSTM in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, module, unless


def with_states(y, states):
    """Return the outputs, the hidden states and the cells side by side."""
    return y, states[0], states[1]


def lower(node: Node) -> Lowered:
    """Return nn.LSTM in both directions."""
    layer = node.layer
    call = "{self}({0}, ({1}, {2}))" if len(node.bottoms) == 3 else "{self}({0})"
    lowered = module(
        "nn.LSTM",
        node.bottoms[0].blob.shape[2],
        layer.num_output,
        num_layers=unless(layer.num_layers, 1),
        bias=unless(layer.bias_term, True),
        batch_first=layer.batch_first or None,
        dropout=float(layer.dropout) or None,
        bidirectional=True,
    )
    if len(node.tops) == 1:
        return Lowered(lowered.init, f"{call}[0]")
    return Lowered(lowered.init, f"with_states(*{call})", (with_states,))
