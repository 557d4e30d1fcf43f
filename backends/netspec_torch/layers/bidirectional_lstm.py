"""BidirectionalLSTM in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered
from .gru import stacked


def with_states(y, states):
    """Return the outputs, the hidden states and the cells side by side."""
    return y, states[0], states[1]


def lower(node: Node) -> Lowered:
    """Return nn.LSTM in both directions."""
    call = "{self}({0}, ({1}, {2}))" if len(node.bottoms) == 3 else "{self}({0})"
    if len(node.tops) == 1:
        return stacked(node, "nn.LSTM", f"{call}[0]")
    lowered = stacked(node, "nn.LSTM", f"with_states(*{call})")
    return Lowered(lowered.init, lowered.call, (with_states,))
