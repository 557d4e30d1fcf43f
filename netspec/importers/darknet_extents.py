"""Extents of the blobs of a cfg: darknet's shortcuts depend on them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Raw = dict[str, Any]
    Extents = tuple[int, ...]


def extents(type: str, bottoms: Sequence[Extents], params: Raw) -> Extents:
    """Return channels, height and width of what a layer makes; () where they are not known."""
    first = bottoms[0]
    if len(first) != 3:
        return ()
    channels, *sides = first
    if type == "Convolution":
        given = params["convolution_param"]
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
    if type in ("Slice", "Reorg", "InnerProduct", "Flatten"):
        return ()
    return first


def _slid(sides: Sequence[int], given: Raw, room: int, up: bool = False) -> list[int]:
    """Return how many places a window has; `room` is its padding less its reach."""
    stride = given.get("stride", 1)
    steps = stride if isinstance(stride, list) else [stride, stride]
    return [
        (side + room + (step - 1 if up else 0)) // max(step, 1) + 1
        for side, step in zip(sides, steps, strict=True)
    ]
