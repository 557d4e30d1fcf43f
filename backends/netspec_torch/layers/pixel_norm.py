"""PixelNorm in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, function


def pixel_norm(x, eps):
    """Divide each pixel by the root mean square of its channels."""
    return x * torch.rsqrt((x * x).mean(1, keepdim=True) + eps)


def lower(node: Node) -> Lowered:
    """Return a function."""
    return function(pixel_norm, float(node.layer.eps))
