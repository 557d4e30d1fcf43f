"""cures: where two sizes that must agree part, and an edit that would make them agree.

Imported on the way to a diagnostic only.
"""

from __future__ import annotations

from .blob import Blob
from .compare import compare
from .layer import Reject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from .dim import Size
    from .graph import Node, Value
    from .layer import Layer
    from .text import Span

    Note = tuple[Span, str]

NOTES = 3  # layers named on either side
EDITED = 3  # layers on either side whose fields are tried
DISTANCE = 64  # layers walked back along one side
PADS = 16  # the most padding that is tried
WALKED = 2_000  # layers run again for one edit
AGAIN = 20_000  # layers run again for all edits of a net


def notes(node: Node, values: Sequence[Value]) -> list[Note]:
    """Return the layers that gave the blamed bottoms their shapes, nearest first.

    Of two bottoms, each side is told up to the blob where they part.
    """
    sides = [lineage(value) for value in dict.fromkeys(values)]
    common = None
    if len(sides) == 2:
        others = {id(value) for value in sides[1]}
        common = next((value for value in sides[0] if id(value) in others), None)
    found: list[Note] = []
    for side in sides:
        shown = 0
        for value, before in zip(side, [*side[1:], None], strict=True):
            if value is common or shown == NOTES:
                break
            changed = before is None or before.blob is None or value.blob is None
            if shown == 0 or changed or _shape(value) != _shape(before):
                found.append(_note(node, value))
                shown += 1
    if common is not None:
        span, label = _note(node, common)
        found.append((span, f"{label}: both come from here"))
    places: dict[Span, list[str]] = {}  # instances of a block stand in one place
    for span, label in found:
        places.setdefault(span, []).append(label)
    return [(span, ", ".join(labels)) for span, labels in places.items()]


def lineage(value: Value) -> list[Value]:
    """Return a value, the first bottom of its maker, and so on to an input."""
    found = [value]
    while value.maker is not None and value.maker.bottoms and len(found) < DISTANCE:
        value = value.maker.bottoms[0]
        found.append(value)
    return found


def edits(node: Node, index: int, left: list[int]) -> list[str]:
    """Return single edits of a layer before `node` that make its bottoms agree for all sizes.

    `left` holds how many layers may still be run again.
    """
    first, second = node.bottoms[0], node.bottoms[index]
    before = ancestors(node)
    if first is second or len(before) > WALKED:
        return []
    found: list[str] = []
    for value, other in ((second, first), (first, second)):
        wanted = other.blob.shape[1] if other.blob and other.blob.rank > 1 else 0
        made = next(_edits(node, before, value, wanted, left), None)
        if made is not None and made not in found:
            found.append(made)
    return found


def ancestors(node: Node) -> list[Node]:
    """Return the layers a layer depends on and itself, in an order that they can run in."""
    found: dict[int, Node] = {}
    pending: list[tuple[Node, bool]] = [(node, False)]
    while pending and len(found) <= WALKED:
        at, done = pending.pop()
        if done:
            found.setdefault(id(at), at)
        elif id(at) not in found:
            pending.append((at, True))
            makers = (value.maker for value in at.bottoms)
            pending += [(maker, False) for maker in makers if maker is not None]
    return list(found.values())


def _edits(
    node: Node, before: list[Node], value: Value, wanted: Size, left: list[int]
) -> Iterator[str]:
    tried = 0
    for made in lineage(value):
        maker = made.maker
        if maker is None or tried == EDITED:
            return
        options = list(_options(maker, wanted))
        tried += bool(options)
        for field, new in options:
            left[0] -= len(before)
            if left[0] < 0:
                return
            if _fits(node, before, maker, _edited(maker.layer, field, new)):
                yield f"`{field}: {new}` in `{maker.name}`"


def _options(maker: Node, wanted: Size) -> Iterator[tuple[str, int]]:
    """Yield the edits of a layer that are tried, likely ones first."""
    layer, bottoms = maker.layer, [value.blob for value in maker.bottoms if value.blob]
    try:
        window = layer.window(*bottoms) if bottoms else None
    except Reject:
        window = None
    if window is not None and window.kernel:
        values = {"pad": window.pad, "stride": window.stride, "kernel_size": window.kernel}
        choices: dict[str, Sequence[int]] = {
            "pad": range(min(max(window.extent) // 2, PADS) + 1),
            "stride": (1, 2, 4),
            "kernel_size": range(max(1, min(window.kernel) - 2), max(window.kernel) + 3),
        }
        for field, range_ in choices.items():
            if field in layer.params:
                yield from ((field, new) for new in range_ if set(values[field]) != {new})
    if "num_output" in layer.params and isinstance(wanted, int) and wanted > 0:
        yield "num_output", wanted


def _fits(node: Node, before: list[Node], maker: Node, edited: Layer) -> bool:
    """Return whether all layers up to `node` take their bottoms with one of them edited."""
    changed: dict[int, Blob] = {}
    for at in before:
        if at is not maker and not any(id(value) in changed for value in at.bottoms):
            continue
        bottoms = [changed.get(id(value)) or value.blob for value in at.bottoms]
        layer = edited if at is maker else at.layer
        whole = [blob for blob in bottoms if blob is not None]
        try:
            if len(whole) != len(bottoms) or not _agree(layer, whole):
                return False
            made = layer.infer(*whole)
        except (Reject, IndexError, ValueError):
            return False
        blobs = [made] if isinstance(made, Blob) else list(made)
        if not all(_sound(blob) for blob in blobs):
            return False
        changed.update((id(v), blob) for v, blob in zip(at.tops, blobs, strict=False))
    return True


def _edited(layer: Layer, field: str, new: int) -> Layer:
    given: dict[str, Any] = {name: getattr(layer, name) for name in layer.given}
    made = type(layer)(**(given | {field: new}))
    made.top_count, made.bottom_count = layer.top_count, layer.bottom_count
    return made


def _agree(layer: Layer, bottoms: Sequence[Blob]) -> bool:
    return all(
        size == other or compare(size, other).always for _, size, other, *_ in layer.agree(*bottoms)
    )


def _sound(blob: Blob) -> bool:
    return all(not isinstance(size, int) or size > 0 for size in blob.shape)


def _shape(value: Value | None) -> object:
    return value.blob.shape if value and value.blob else None


def _note(node: Node, value: Value) -> Note:
    text = f"`{value.name}` is {value.blob}" if value.blob else f"`{value.name}`"
    if value.maker is not None:
        return value.maker.place.span("name"), text
    place = node.origin[0] if node.origin else node.place
    return place.document.key_span("inputs", value.name), text
