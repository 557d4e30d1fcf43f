"""MultiHeadAttention in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, module, unless


def lower(node: Node) -> Lowered:
    """Return nn.MultiheadAttention."""
    layer, blobs = node.layer, [value.blob for value in node.bottoms]
    size, keys, values = (blob.shape[2] for blob in (blobs[0], layer.keys(*blobs), blobs[-1]))
    names = {1: "{0}, {0}, {0}", 2: "{0}, {1}, {1}", 3: "{0}, {1}, {2}"}[len(blobs)]
    extra = "" if len(node.tops) == 2 else ", need_weights=False"
    if layer.causal:
        seen = "{1}" if len(blobs) > 1 else "{0}"
        ones = f"torch.ones({{0}}.shape[1], {seen}.shape[1], dtype=torch.bool, device={{0}}.device)"
        extra += f", attn_mask={ones}.triu(1)"
    end = "" if len(node.tops) == 2 else "[0]"
    return module(
        "nn.MultiheadAttention",
        size,
        layer.num_heads,
        dropout=float(layer.dropout) or None,
        bias=unless(layer.bias_term, True),
        kdim=unless(keys, size),
        vdim=unless(values, size),
        batch_first=True,
        call=f"{{self}}({names}{extra}){end}",
    )
