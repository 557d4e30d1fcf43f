"""ArgMax in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, function, unless


def argmax(x, top_k=1, axis=None, values=False):
    """Return the `top_k` largest; of equal elements the one of the larger index comes first."""
    flat = x.reshape(x.shape[0], -1) if axis is None else x.movedim(axis, -1)
    best, index = flat.flip(-1).sort(dim=-1, descending=True, stable=True)
    best, index = best[..., :top_k], (flat.shape[-1] - 1 - index[..., :top_k]).to(x.dtype)
    if axis is not None:
        return (best if values else index).movedim(-1, axis)
    top = torch.stack([index, best] if values else [index], 1)
    return top.reshape(top.shape + (1,) * (x.dim() - 3))


def lower(node: Node) -> Lowered:
    """Return the indices or values as a function of the bottom."""
    layer = node.layer
    axis = layer.axis
    return function(
        argmax,
        top_k=unless(layer.top_k, 1),
        axis=None if axis is None else canonical_axis(layer, "axis", node.bottoms[0].blob),
        values=layer.out_max_val or None,
    )
