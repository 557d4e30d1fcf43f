"""LogSoftmax in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, module


def lower(node: Node) -> Lowered:
    """Return nn.LogSoftmax."""
    return module("nn.LogSoftmax", dim=node.layer.axis)
