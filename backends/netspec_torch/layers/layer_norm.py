"""LayerNorm in torch."""

from __future__ import annotations

from netspec.graph import Node
from netspec.layers.layer_norm import averaged

from ..lowering import Lowered, module, unless


def lower(node: Node) -> Lowered:
    """Return nn.LayerNorm, on moved axes where they are not the last ones."""
    layer, x = node.layer, node.bottoms[0].blob
    first, end = averaged(layer, x)
    return module(
        "nn.LayerNorm",
        list(x.shape[first:end]),
        eps=unless(float(layer.eps), 1e-5),
        elementwise_affine=unless(layer.affine, True),
        bias=None if layer.bias_term or not layer.affine else False,
        call=at_the_end(first, end, x.rank),
    )


def at_the_end(first: int, end: int, rank: int) -> str:
    """Return the call of a module that works on the last axes, for those from first to end."""
    if end == rank:
        return "{self}({0})"
    axes = [*range(first), *range(end, rank), *range(first, end)]
    back = [axes.index(axis) for axis in range(rank)]
    there, here = (", ".join(map(str, order)) for order in (axes, back))
    return f"{{self}}({{0}}.permute({there})).permute({here})"
