"""Windows as source: pads, batch axes, and one call for each bottom."""

from __future__ import annotations

from typing import Any

from netspec.graph import Node

from .lowering import Lowered


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


def spacing(window: Any) -> tuple[int, ...]:
    """Return the dilation of each axis; of one tap there is none."""
    pairs = zip(window.dilation, window.kernel, strict=True)
    return tuple(step if taps > 1 else 1 for step, taps in pairs)


def laid_out(text: str, window: Any) -> str:
    """Return the source of what a convolution reads, laid out afresh where torch needs that.

    torch 2.13 crashes on a CPU, in slow_conv_dilated2d, where an axis has stride and dilation
    above 1 and the blob is laid out with its channels last, which a blob of 1 x 1 always may be.
    """
    axes = zip(window.stride, spacing(window), strict=True)
    if any(stride > 1 and step > 1 for stride, step in axes):
        return f"{text}.clone(memory_format=torch.contiguous_format)"
    return text


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
