"""GramMatrix in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, function


def gram_matrix(x, normalize):
    """Return the products of all channels of each item."""
    flat = x.flatten(2) if x.dim() > 2 else x.unsqueeze(2)
    norm = {"NONE": 1, "SPATIAL": flat.shape[2], "FULL": flat.shape[1] * flat.shape[2]}[normalize]
    return flat @ flat.transpose(1, 2) / norm


def lower(node: Node) -> Lowered:
    """Return the matrix as a function of the bottom."""
    return function(gram_matrix, normalize=node.layer.normalize)
