"""GroupNorm in torch."""

from __future__ import annotations

import torch
from torch import nn

from netspec.graph import Node

from ..lowering import Lowered, module, unless


class GroupNorm(nn.GroupNorm):
    """nn.GroupNorm for groups of one element too, which become the offset."""

    def forward(self, input):
        return torch.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)


def lower(node: Node) -> Lowered:
    """Return nn.GroupNorm; it refuses groups of one element, even in eval."""
    layer, x = node.layer, node.bottoms[0].blob
    kind = GroupNorm if x.size == layer.num_groups else "nn.GroupNorm"
    eps = unless(float(layer.eps), 1e-5)
    affine = unless(layer.affine, True)
    return module(kind, int(layer.num_groups), x.channels, eps=eps, affine=affine)
