"""Extents of the blobs of a cfg: darknet's shortcuts depend on them."""

from __future__ import annotations

from math import prod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Raw = dict[str, Any]
    Extents = tuple[int, ...]


SLIDING = ("Convolution", "LocallyConnected", "Pooling", "Upsample", "Reorg")
CHANGING = ("Slice", "Reorg", "Reshape", "Recurrence", "ChannelPad")


def extents(type: str, bottoms: Sequence[Extents], params: Raw) -> Extents:
    """Return what a layer makes: channels, height and width, or how many numbers a row has.

    Where they are not known these are ().
    """
    first = bottoms[0]
    if type == "InnerProduct":
        return (params["inner_product_param"]["num_output"],)
    if type == "Flatten" and first:
        return (prod(first),)
    if len(first) != 3 and type in SLIDING:
        return ()
    channels, *sides = first or (0,)
    if type in ("Convolution", "LocallyConnected"):
        given = next(iter(params.values()))
        reach = given.get("dilation", 1) * (given["kernel_size"] - 1) + 1
        return (given["num_output"], *_slid(sides, given, 2 * given.get("pad", 0) - reach))
    if type == "Pooling":
        given = params["pooling_param"]
        if given.get("global_pooling"):
            return (channels, 1, 1)
        room = given.get("pad_begin", 0) + given.get("pad_end", 0) - given["kernel_size"]
        return (channels, *_slid(sides, given, room, up="round_mode" not in given))
    if type == "Upsample":
        factor = params["upsample_param"]["scale"]
        return (channels, *(side * factor for side in sides))
    if type == "Reorg" and "reverse" not in params["reorg_param"]:
        step = max(params["reorg_param"]["stride"], 1)
        return (channels * step * step, *(side // step for side in sides))
    if type == "Concat":
        return (sum(each[0] for each in bottoms), *sides) if all(bottoms) else ()
    return () if type in CHANGING else first


def _slid(sides: Sequence[int], given: Raw, room: int, up: bool = False) -> list[int]:
    """Return how many places a window has; `room` is its padding less its reach."""
    stride = given.get("stride", 1)
    steps = stride if isinstance(stride, list) else [stride, stride]
    return [
        (side + room + (step - 1 if up else 0)) // max(step, 1) + 1
        for side, step in zip(sides, steps, strict=True)
    ]
