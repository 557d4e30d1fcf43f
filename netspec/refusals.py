"""refusals: where a layer that cannot take its bottoms is told so, and what else is told.

Imported on the way to a diagnostic only.
"""

from __future__ import annotations

from math import gcd

from . import codes
from .cures import AGAIN, edits, notes
from .layer import Reject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .blob import Blob, Window
    from .graph import Node
    from .text import Span

# what has nothing to do with the shapes of the bottoms
UNSHAPED = {codes.TooManyParams, codes.ParamConflict, codes.ParamMissing, codes.WrongTopCount}


def told(
    node: Node, reject: Reject, again: list[int]
) -> tuple[Span, list[tuple[Span, str]], dict[str, Any]]:
    """Return the place, the related places and the facts of a refusal.

    `again` holds how many layers may still be run again to find a cure, once that is known.
    """
    facts = dict(reject.facts)
    index, inside = facts.pop("bottom", None), facts.pop("inside", ())
    blamed = node.bottoms if index is None else [node.bottoms[0], node.bottoms[index]]
    value = node.bottoms[index or 0] if node.bottoms else None
    other = node.bottoms[0] if node.bottoms else None
    facts.setdefault("layer", node.name)
    facts.setdefault("param", reject.at)
    facts.setdefault("blob", value.name if value else "")
    facts.setdefault("other", other.name if other else "")
    related = [] if reject.code in UNSHAPED else notes(node, blamed)
    if reject.code is codes.ShapeMismatch and index and "hint" not in facts:
        if not again:
            again.append(AGAIN)
        found = edits(node, index, again)
        facts["hint"] = f"{' or '.join(found)} would make them agree" if found else ""
    related += [(place.span("name"), "used here") for place in reversed(node.origin)]
    if reject.code is codes.NotDivisible and isinstance(facts.get("channels"), int):
        facts |= _divisors(node, reject, facts["channels"])
    return _where(node, reject, index, inside), related, facts


def _divisors(node: Node, reject: Reject, count: int) -> dict[str, str]:
    """Return the hint that lists what a param that must divide may be, where that is short."""
    blob = node.bottoms[0].blob
    for also in getattr(node.layer, "num_output", 0), blob.channels if blob else 0:
        count = gcd(count, also) if isinstance(also, int) else count
    divisors = [str(n) for n in range(1, min(count, 4096) + 1) if count % n == 0]
    if count > 4096 or len(divisors) > 12:
        return {}
    return {"hint": f"`{reject.at}` may be {', '.join(divisors)}"}


def _where(node: Node, reject: Reject, index: int | None, inside: tuple[str | int, ...]) -> Span:
    place, layer = node.place, node.layer
    if reject.at in ("param", "top", "loss_weight", "propagate_down"):
        return place.span(reject.at, *inside)
    if reject.at is not None and reject.at in layer.params:
        declared = layer.params[reject.at]
        message = declared.message or layer.message
        if message in node.entry:
            return place.span(message, declared.field, *inside)
        return place.span("type")
    if reject.code is codes.ParamMissing and layer.message in node.entry:
        return place.key_span(layer.message)
    if index is not None and "bottom" in node.entry:
        listed = isinstance(node.entry["bottom"], list)
        return place.span("bottom", index) if listed else place.span("bottom")
    return place.span("name")


def empty(node: Node, blob: Blob, position: int, axis: int, size: int) -> Reject:
    """Return the refusal of a top without elements, with the window to blame if there is one."""
    bottom = node.bottoms[0].blob if node.bottoms else None
    window = node.layer.window(bottom) if bottom is not None and axis >= 2 else None
    if window is None or bottom is None:
        return Reject(codes.EmptyBlob, blob=node.tops[position].name, axis=axis, size=size)
    at = next((n for n in ("kernel_size", "kernel_h", "pad") if n in node.layer.given), None)
    return Reject(
        codes.WindowTooLarge, at=at, extent="x".join(map(str, window.extent)),
        size="x".join(map(str, bottom.spatial)), output="x".join(map(str, blob.spatial)),
        hint=_least_input(window),
    )  # fmt: skip


def _least_input(window: Window) -> str:
    pads = zip(window.extent, window.pad, window.pad_end, strict=True)
    least = [max(1, extent - before - after) for extent, before, after in pads]
    padded = " with this padding" if any(window.pad) else ""
    return f"the input must be at least {'x'.join(map(str, least))}{padded}"
