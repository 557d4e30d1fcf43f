"""Gradients: which tops of a net are losses, and which values a gradient of theirs reaches."""

from __future__ import annotations

from ..blob import FLOATS
from ..spec import as_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..graph import Node, Value
    from ..net import Net


class Gradients:
    """Which tops of a net are losses, and which values their gradients reach."""

    def __init__(self, net: Net) -> None:
        # a test net is not trained, where the spec has a train net
        self.happens = net.phase == "train" or "TRAIN" not in net.spec.phases()
        self.losses = {id(top): node for node in net.flat.nodes for top in losses(node)}
        self.ends = set(self.losses) or {id(value) for value in net.flat.outputs.values()}
        self.reached = set(self.ends)
        for node in reversed(net.flat.nodes):
            if self.reaches(node):
                self.reached.update(id(value) for value in passing(node))

    def reaches(self, node: Node) -> bool:
        """Return whether the gradient of a loss comes to a layer."""
        return any(id(top) in self.reached for top in given(node))


def losses(node: Node) -> list[Value]:
    """Return the tops that count in the training loss."""
    weights = node.entry.get("loss_weight")
    if weights is None:
        return node.tops[:1] if node.layer.loss else []
    return [top for top, weight in zip(node.tops, as_list(weights), strict=True) if weight]


def given(node: Node) -> list[Value]:
    """Return the tops whose gradient counts in a layer."""
    return node.tops[:1] if node.layer.one_gradient else node.tops


def passing(node: Node) -> list[Value]:
    """Return the bottoms to which a layer passes a gradient."""
    asked = node.entry.get("propagate_down")
    allowed = [True] * len(node.bottoms) if asked is None else as_list(asked)
    exposed = node.layer.one_gradient and getattr(node.layer, "expose_hidden", False)
    states = getattr(node.layer, "hidden", 0) if exposed else 0
    return [
        value
        for index, value in enumerate(node.bottoms[: len(node.bottoms) - states])
        if allowed[index] and index not in node.layer.no_gradient and _dtype(value) in FLOATS
    ]


def _dtype(value: Value) -> str:
    return value.blob.dtype if value.blob is not None else ""
