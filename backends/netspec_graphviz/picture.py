"""Picture: what a drawing shows of a net, whichever text it is then written as.

Blocks come from names: `layer1.0.conv1` lies in `layer1.0`, which lies in `layer1`; a `/` counts
as a dot does. A block deeper than the depth asked for is one box.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from netspec.diagnostics import crop, printable
from netspec.spec import as_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netspec.blob import Blob
    from netspec.dim import Size
    from netspec.graph import Node, Value
    from netspec.net import Net

READABLE = 120  # boxes on one page; more are folded where nobody says how deep
DEEPEST = 16  # levels of blocks drawn inside each other
WIDEST = 56  # characters of one line
SHORT = 32  # characters of what shares a line
LONG = re.compile(r"(?<![\w/])[0-9]{6,}(?![\w/⌉⌋])")  # a factor or a term, not inside a fraction


class Box:
    """One node of a drawing: an input, a layer, a folded block or an output."""

    __slots__ = ("family", "groups", "kind", "last", "lines", "name", "nodes", "times", "title")

    def __init__(
        self, kind: str, name: str, groups: tuple[str, ...], family: str, nodes: list[Node]
    ) -> None:
        self.kind = kind
        self.name = name
        self.last = name  # of several blocks in a row
        self.groups = groups  # the blocks it lies in, outermost first
        self.family = family
        self.nodes = nodes
        self.times = 1
        self.title = name
        self.lines: list[str] = []


class Wire:
    """One edge of a drawing: the indices of two boxes, and the blob's shape."""

    __slots__ = ("label", "source", "target", "trunk")

    def __init__(self, source: int, target: int, label: str) -> None:
        self.source = source
        self.target = target
        self.label = label
        self.trunk = False


class Picture:
    """Boxes in execution order, the wires between them, and a caption."""

    def __init__(self, boxes: list[Box], wires: list[Wire], caption: str) -> None:
        self.boxes = boxes
        self.wires = wires
        self.caption = caption


def picture(net: Net, depth: int | None = None) -> Picture:
    """Return what to draw of a net; without a depth, folded as far as one page needs."""
    nodes = net.flat.nodes
    groups = _groups([node.name for node in nodes])
    if depth is None:
        depth = automatic_depth(net)
    if depth is None:
        depth = DEEPEST + 1
    inputs = [Box("input", name, (), "data", []) for name in net.flat.inputs]
    shown: dict[str, Box] = {}
    for node, path in zip(nodes, groups, strict=True):
        if len(path) < depth:
            kind = "input" if node.layer.source else "layer"
            shown[f"layer {node.name}"] = Box(kind, node.name, path, node.layer.family, [node])
            continue
        block = path[depth - 1]
        box = shown.setdefault(
            f"block {block}", Box("block", block, path[: depth - 1], "block", [])
        )
        box.nodes.append(node)
    wanted = {id(value) for value in net.flat.outputs.values()}
    boxes = inputs + _merged(list(shown.values()), wanted)
    outputs = [Box("output", name, (), "data", []) for name in net.flat.outputs]
    wires = _wires(net, boxes, len(boxes))
    boxes += outputs
    _name(boxes)
    for box in boxes:
        box.lines = _lines(box)
    return Picture(boxes, wires, _caption(net))


def automatic_depth(net: Net) -> int | None:
    """Return the depth at which a net fits one page; None where it does with nothing folded."""
    nodes = net.flat.nodes
    if len(nodes) <= READABLE:
        return None
    groups = _groups([node.name for node in nodes])
    for depth in range(max(map(len, groups)), 0, -1):
        folded = {path[depth - 1] for path in groups if len(path) >= depth}
        if depth == 1 or len(folded) + sum(len(path) < depth for path in groups) <= READABLE:
            return depth
    return None


def _groups(names: Sequence[str]) -> list[tuple[str, ...]]:
    paths = []
    for name in names:
        cuts = [at for at in range(1, len(name) - 1) if name[at] in "./"]
        paths.append(tuple(name[:at] for at in cuts[:DEEPEST]))
    members = Counter(group for path in paths for group in path)
    return [tuple(group for group in path if members[group] > 1) for path in paths]


def _merged(boxes: list[Box], outputs: set[int]) -> list[Box]:
    """Return the boxes with equal folded blocks in a row as one."""
    kept: list[Box] = []
    previous: tuple[list[Node], object] | None = None
    for box in boxes:
        if box.kind != "block":
            kept.append(box)
            previous = None
            continue
        form = _form(box.nodes)
        if (
            previous
            and kept[-1].groups == box.groups
            and previous[1] == form
            and _follows(previous[0], box.nodes, outputs)
        ):
            run = kept[-1]
            run.last = box.name
            run.times += 1
            run.nodes = run.nodes + box.nodes
        else:
            kept.append(box)
        previous = (box.nodes, form)
    return kept


def _form(nodes: list[Node]) -> object:
    """Return what two blocks must have in common to be drawn as one."""
    places: dict[int, object] = {}
    rows = []
    for index, node in enumerate(nodes):
        read = [places.setdefault(id(value), (-1, len(places))) for value in node.bottoms]
        for slot, value in enumerate(node.tops):
            places[id(value)] = (index, slot)
        rows.append(
            (
                repr(node.layer),
                read,
                [str(value.blob) for value in node.tops],
                [(w.name, str(w.shape), w.trainable, w.owner is None) for w in node.weights],
            )
        )
    return rows


def _follows(first: list[Node], second: list[Node], outputs: set[int]) -> bool:
    """Return whether `second` reads `first` alone, and nothing else reads `first`."""
    inside = {id(node) for node in first} | {id(node) for node in second}
    return all(
        value.maker is not None and id(value.maker) in inside
        for node in second
        for value in node.bottoms
    ) and all(
        id(value) not in outputs and all(id(reader) in inside for reader in value.readers)
        for node in first
        for value in node.tops
    )


def _wires(net: Net, boxes: list[Box], first_output: int) -> list[Wire]:
    where = {id(node): at for at, box in enumerate(boxes) for node in box.nodes}
    inputs = {id(value): at for at, value in enumerate(net.flat.inputs.values())}

    def source(value: Value) -> int:
        return inputs[id(value)] if value.maker is None else where[id(value.maker)]

    wires: list[Wire] = []
    seen: set[tuple[int, int, int]] = set()
    for node in net.flat.nodes:
        target = where[id(node)]
        for value in node.bottoms:
            start = source(value)
            if boxes[target].kind == "block":  # its layers share one wire for one blob
                if start == target or (start, target, id(value)) in seen:
                    continue
                seen.add((start, target, id(value)))
            wires.append(Wire(start, target, blob_text(value.blob)))
    for at, value in enumerate(net.flat.outputs.values()):
        wires.append(Wire(source(value), first_output + at, blob_text(value.blob)))
    _mark_trunk(wires, [len(box.nodes) for box in boxes] + [0] * len(net.flat.outputs))
    return wires


def _mark_trunk(wires: list[Wire], layers: list[int]) -> None:
    """Mark the wires that start the longest way on and come first where they end."""
    ahead = list(layers)  # layers on the longest way from a box, itself counted
    onward: dict[int, Wire] = {}
    for wire in sorted(wires, key=lambda wire: -wire.source):  # stable: the first wins a tie
        best = onward.setdefault(wire.source, wire)
        if ahead[wire.target] > ahead[best.target]:
            onward[wire.source] = wire
        length = layers[wire.source] + ahead[wire.target]
        ahead[wire.source] = max(ahead[wire.source], length)
    entered: set[int] = set()
    for wire in wires:
        wire.trunk = onward[wire.source] is wire and wire.target not in entered
        entered.add(wire.target)


def _name(boxes: list[Box]) -> None:
    """Drop frames around one box, and from each title what the frame around it says."""
    members = Counter(group for box in boxes for group in box.groups)
    for box in boxes:
        box.groups = tuple(group for group in box.groups if members[group] > 1)
        cut = len(box.groups[-1]) + 1 if box.groups else 0
        box.title = box.name[cut:]
        if box.times > 1:
            box.title += f" to {box.last[cut:]}"


def _lines(box: Box) -> list[str]:
    if box.kind in ("input", "output") and not box.nodes:
        return [_line(box.title)]
    weights: Size = 0
    macs: Size = 0
    for node in box.nodes:
        macs = macs + node.macs
        for weight in node.weights:
            if weight.owner is None:
                weights = weights + weight.size
    lines = [box.title]
    if box.kind == "block":
        layers = len(box.nodes) // box.times
        lines.append(f"×{box.times}, {layers} layers each" if box.times > 1 else f"{layers} layers")
    else:
        lines += _about(box.nodes[0])
    counts = _counts(weights, macs)
    lines += counts if len("".join(counts)) > SHORT else [", ".join(counts)] if counts else []
    return [_line(line) for line in lines]


def _counts(weights: Size, macs: Size) -> list[str]:
    found = []
    for count, what in ((weights, "weights"), (macs, "MACs")):
        if isinstance(count, int):
            found += [f"{count_text(count)} {what}"] if count else []
        elif len(text := LONG.sub(_scaled, size_text(count))) <= SHORT:
            found.append(f"{text} {what}")
        else:
            found.append(f"{what} by {', '.join(sorted(count.symbols))}")
    return found


def _about(node: Node) -> list[str]:
    """Return the type of a layer with its window, and what is special about it."""
    kind = node.type
    blobs = [value.blob for value in node.bottoms if value.blob is not None]
    window = node.layer.window(*blobs) if blobs else None
    if window is not None:
        kind += " " + "×".join(map(str, window.kernel))
        for name, values in (("stride", window.stride), ("dilation", window.dilation)):
            if any(value != 1 for value in values):
                same = len(set(values)) == 1
                kind += f", {name} {values[0] if same else '×'.join(map(str, values))}"
    notes = []
    if node.in_place:
        notes.append("in place")
    if (given := node.entry.get("loss_weight")) is not None:
        notes.append("in the loss ×" + ", ".join(map(str, as_list(given))))
    if node.weights and not any(weight.trainable for weight in node.weights):
        notes.append("frozen")
    owners = {weight.owner[0].name: None for weight in node.weights if weight.owner}
    if owners:
        notes.append(f"weights of {', '.join(owners)}")
    about = ", ".join([kind, *notes])
    return [about] if len(about) <= SHORT else [kind, ", ".join(notes)]


def _scaled(number: re.Match[str]) -> str:
    return count_text(int(number[0]))


def _caption(net: Net) -> str:
    counts = ", ".join(_counts(net.params.total, net.macs))
    return _line(f"{net.name} ({net.phase})") + (f": {counts}" if counts else "")


def _line(text: str) -> str:
    return crop(printable(text), WIDEST)


def blob_text(blob: Blob | None) -> str:
    """Return a blob's shape as an edge shows it, and its dtype where that is not float32."""
    if blob is None:
        return ""
    shape = "×".join(_factor(size) for size in blob.shape) or "scalar"
    return _line(shape if blob.dtype == "float32" else f"{shape} {blob.dtype}")


def count_text(count: int) -> str:
    """Return a count in full up to 99,999, then to three digits, as `11.5 G`."""
    if count < 100_000:
        return f"{count:,}"
    scaled = float(count)
    for unit in ("k", "M", "G", "T", "P"):
        scaled /= 1000
        if scaled < 999.5 or unit == "P":
            break
    digits = max(0, 3 - len(str(int(scaled))))
    return f"{scaled:,.{digits}f} {unit}"


def size_text(size: Size) -> str:
    """Return a size with the signs of mathematics: `ceil(H/2)` is `⌈H/2⌉`."""
    pieces: list[str] = []
    closing: list[str] = []
    text = str(size).replace("*", "·")
    at = 0
    while at < len(text):
        for name, opened, closed in (("ceil(", "⌈", "⌉"), ("floor(", "⌊", "⌋"), ("(", "(", ")")):
            if text.startswith(name, at):
                pieces.append(opened)
                closing.append(closed)
                at += len(name)
                break
        else:
            character = text[at]
            pieces.append(closing.pop() if character == ")" and closing else character)
            at += 1
    return "".join(pieces)


def _factor(size: Size) -> str:
    text = size_text(size)
    depth = 0
    for character in text:  # a sum needs brackets beside ×, one inside brackets has them
        depth += (character in "(⌈⌊") - (character in ")⌉⌋")
        if depth == 0 and character in "+-":
            return f"({text})"
    return text


def tree(boxes: Sequence[Box]) -> Iterator[tuple[int, str, object]]:
    """Yield ("open", group), ("box", index) and ("close",) steps that nest boxes in their groups.

    The steps are (level, kind, what); a group that execution leaves and enters again is one.
    """
    children: dict[str, list[tuple[str, object]]] = {"": []}
    for index, box in enumerate(boxes):
        parent = ""
        for group in box.groups:
            if group not in children:
                children[group] = []
                children[parent].append(("open", group))
            parent = group
        children[parent].append(("box", index))
    stack = [iter(children[""])]
    while stack:
        step = next(stack[-1], None)
        if step is None:
            stack.pop()
            if stack:
                yield len(stack), "close", None
            continue
        yield len(stack), step[0], step[1]
        if step[0] == "open":
            stack.append(iter(children[str(step[1])]))
