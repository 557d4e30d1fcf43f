"""Upsample in torch."""

from __future__ import annotations

from netspec.graph import Node

from ..lowering import Lowered, literal, module, same
from .unpooling import scaled, unpool


def lower(node: Node) -> Lowered:
    """Return nn.Upsample, or a scatter where a mask says where elements came from."""
    x, layer = node.bottoms[0].blob, node.layer
    axes, fixed = len(x.spatial), layer.fixed(x)
    if len(node.bottoms) == 2:
        if fixed is not None:
            sizes = [literal(size) for size in fixed]
        else:
            pairs = zip(layer.factors(x), layer.less(x), strict=True)
            sizes = [
                scaled(f"{{0}}.shape[{axis}]", factor) + (f" - {less}" if less else "")
                for axis, (factor, less) in enumerate(pairs, 2)
            ]
        return Lowered("", f"unpool({{0}}, {{1}}, ({', '.join(sizes)},))", (unpool,))
    linear = ("linear", "bilinear", "trilinear")[axes - 1]
    mode = {"NEAREST": "nearest", "BILINEAR": linear, "BICUBIC": "bicubic"}[layer.mode]
    return module(
        "nn.Upsample",
        size=fixed,
        scale_factor=None if fixed else same(layer.factors(x)),
        mode=mode,
        align_corners=True if layer.align_corners else None,
    )
