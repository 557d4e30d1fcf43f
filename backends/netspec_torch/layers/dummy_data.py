"""DummyData in torch."""

from __future__ import annotations

import torch
from torch import nn

from netspec.graph import Node

from .. import fill
from ..lowering import Lowered, Refused, literal

RANDOM = ("uniform", "gaussian", "xavier", "msra", "positive_unitball")


class DummyData(nn.Module):
    """A tensor that a filler fills: once, or in every pass."""

    def __init__(self, shape, fill, again=False):
        super().__init__()
        self.register_buffer("blob", torch.zeros(shape), persistent=False)
        self.fill = fill
        self.again = again
        fill(self.blob)

    def forward(self):
        if self.again:
            return self.fill(torch.empty_like(self.blob))
        return self.blob


def lower(node: Node) -> Lowered:
    """Return one such tensor for each top."""
    blobs, uses = [], [DummyData]
    for value, filler in zip(node.tops, node.layer.fills(), strict=True):
        if value.blob is None:
            raise Refused("its shape is not known")
        kind, params = fill.choose(filler)
        uses.append(kind)
        call = f"lambda blob: {kind.__name__}({', '.join(['blob', *params])})"
        again = ", again=True" if filler.get("type") in RANDOM else ""
        blobs.append(f"DummyData({literal(value.blob.shape)}, {call}{again})")
    if len(blobs) == 1:
        return Lowered(blobs[0], "{self}()", tuple(uses))
    calls = ", ".join(f"{{self}}[{index}]()" for index in range(len(blobs)))
    return Lowered(f"nn.ModuleList([{', '.join(blobs)}])", calls, tuple(uses))
