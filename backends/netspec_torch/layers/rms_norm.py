"""RMSNorm in torch."""

from __future__ import annotations

from netspec.graph import Node
from netspec.layers.layer_norm import averaged

from ..lowering import Lowered, module, unless
from .layer_norm import at_the_end


def lower(node: Node) -> Lowered:
    """Return nn.RMSNorm, on moved axes where they are not the last ones."""
    layer, x = node.layer, node.bottoms[0].blob
    first, end = averaged(layer, x)
    return module(
        "nn.RMSNorm",
        list(x.shape[first:end]),
        eps=float(layer.eps),
        elementwise_affine=unless(layer.affine, True),
        call=at_the_end(first, end, x.rank),
    )
