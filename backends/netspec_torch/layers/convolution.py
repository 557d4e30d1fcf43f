"""Convolution in torch."""

from __future__ import annotations

from typing import Any

from netspec.graph import Node
from netspec.layer import canonical_axis

from ..lowering import Lowered, Refused, arguments, module, same, unless


def lower(node: Node) -> Lowered:
    """Return nn.Conv1d, 2d or 3d; nn.Linear where no axis is spatial."""
    (x, *_), layer = [value.blob for value in node.bottoms], node.layer
    axis = canonical_axis(layer, "axis", x)
    window, channels = layer.window(x), x.shape[axis]
    axes = len(window.kernel)
    if axes == 0 and layer.groups(channels) == 1:
        bias = unless(layer.bias_term, True)
        return shared(module("nn.Linear", channels, layer.filters(channels), bias=bias), node)
    if axes not in (1, 2, 3):
        raise Refused(f"a convolution over {axes} spatial axes")
    before, after = window.pad, ends(window, x.shape[axis + 1 :])
    even = after == before
    flat = [index + 2 for index, step in enumerate(window.dilation) if not step]
    groups = unless(layer.groups(channels), 1)
    made = module(
        f"nn.Conv{axes}d",
        channels,
        layer.filters(channels),
        same(window.kernel),
        stride=unless(same(window.stride), 1),
        padding=unless(same(before), 0) if even else None,
        dilation=None if flat else unless(same(window.dilation), 1),
        groups=groups,
        bias=unless(layer.bias_term, True),
    )
    call = "{self}({x})" if even else f"{{self}}(F.pad({{x}}, {arguments(sides(before, after))}))"
    if flat:  # dilation 0: all taps along an axis read one element, so they add up
        inner = arguments(
            stride=window.stride, dilation=tuple(step or 1 for step in window.dilation),
            groups=groups,
        )  # fmt: skip
        padded = f"F.pad({{x}}, {arguments(sides(before, after))})"
        weight = f"{{self}}.weight.sum({flat}, keepdim=True)"
        call = f"F.conv{axes}d({padded}, {weight}, {{self}}.bias, {inner})"
    return shared(Lowered(made.init, batched(call, axis), made.uses), node)


def whole_window(layer: Any, x: Any) -> Any:
    """Return the window of a layer; torch has none of dilation 0."""
    window = layer.window(x)
    if 0 in window.dilation:
        raise Refused("dilation 0: all taps of a filter would read one element")
    return window


def ends(window: Any, spatial: Any) -> tuple[int, ...]:
    """Return the pad after each axis, with what Caffe's one window reads past the end."""
    after = []
    for index, (size, extent, stride) in enumerate(
        zip(spatial, window.extent, window.stride, strict=True)
    ):
        missing = extent - size - window.pad[index] - window.pad_end[index]
        hangs = isinstance(missing, int) and 0 < missing < stride
        after.append(window.pad_end[index] + (missing if hangs else 0))
    return tuple(after)


def sides(before: Any, after: Any) -> tuple[int, ...]:
    """Return the pads as F.pad takes them: the last axis first."""
    pairs = zip(reversed(tuple(before)), reversed(tuple(after)), strict=True)
    return tuple(zeros for pair in pairs for zeros in pair)


def batched(call: str, axis: int) -> str:
    """Return a call on `{x}` that takes all axes before `axis` as one batch axis."""
    if axis == 1:
        return call
    if axis == 0:
        return call.replace("{x}", "{x}.unsqueeze(0)") + ".squeeze(0)"
    one = call.replace("{x}", f"{{x}}.flatten(0, {axis - 1})")
    return f"{one}.unflatten(0, {{x}}.shape[:{axis}])"


def shared(lowered: Lowered, node: Node) -> Lowered:
    """Return a lowering whose call on `{x}` is made for each bottom: the weights are shared."""
    call = lowered.call.replace("{args}", "{x}")
    calls = [call.replace("{x}", f"{{{index}}}") for index in range(len(node.bottoms))]
    text = f"({', '.join(calls)})" if len(calls) > 1 else calls[0]
    return Lowered(lowered.init, text, lowered.uses)
