"""InstanceNorm in torch."""

from __future__ import annotations

import torch
from torch import nn

from netspec.dim import product
from netspec.graph import Node

from ..lowering import Lowered, module, unless


class InstanceNorm(nn.modules.instancenorm._InstanceNorm):
    """nn.InstanceNorm for one element at each channel, which becomes the offset."""

    def forward(self, input):
        return torch.instance_norm(
            input, self.weight, self.bias, None, None, True, self.momentum, self.eps, False
        )


def lower(node: Node) -> Lowered:
    """Return nn.InstanceNorm1d, 2d or 3d; they refuse one element a channel, even in eval."""
    layer, x = node.layer, node.bottoms[0].blob
    kind = InstanceNorm if product(x.spatial) == 1 else f"nn.InstanceNorm{x.rank - 2}d"
    eps = unless(float(layer.eps), 1e-5)
    return module(kind, x.channels, eps=eps, affine=layer.affine or None)
