"""Parts: the net, and the uses of its blocks that are modules of their own in the source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from netspec.graph import Node, Origin, Value

INPUTS, OUTPUTS = 4, 3  # the most blobs that go into a module of a block, and out of it


class Line:
    """A statement on modules: text with `{0}`, `{1}` for those at `paths`."""

    __slots__ = ("paths", "text")

    def __init__(self, text: str, *paths: str) -> None:
        self.text = text
        self.paths = paths


class Item:
    """One statement of a forward method: the call of a layer, or of a part.

    `made` is the path of the module that it makes, by `init`; `called` of the one it calls.
    """

    __slots__ = (
        "before",
        "bottoms",
        "call",
        "called",
        "fill",
        "flows",
        "init",
        "made",
        "node",
        "part",
        "rate",
        "ties",
        "tops",
    )

    def __init__(
        self, node: Node | None, part: Part | None, bottoms: list[Value], tops: list[Value]
    ) -> None:
        self.node = node
        self.part = part
        self.bottoms = bottoms
        self.tops = tops
        self.made = self.called = self.init = ""
        self.call = "{self}({args})"
        self.flows: list[Any] = []  # whether a gradient flows into each bottom; empty: into all
        self.ties: list[Line] = []  # sharing and freezing, once the modules are made
        self.before: list[Line] = []  # of each forward
        self.fill: list[Line] = []  # how weights start
        self.rate: list[Line] = []  # weights that are computed from what is stored

    @property
    def plain(self) -> bool:
        """Return whether this calls its module on one blob, and nothing more."""
        return (
            self.call in ("{self}({args})", "{self}({0})")
            and self.called == self.made != ""
            and len(self.bottoms) == len(self.tops) == 1
            and not self.before
            and not self.flows
        )


class Part:
    """What one class says: the net, or one use of a block."""

    __slots__ = ("height", "inputs", "items", "origin", "outputs", "path")

    def __init__(
        self, path: str, origin: Origin | None, inputs: list[Value], outputs: list[Value]
    ) -> None:
        self.path = path  # of its module; empty for the net
        self.origin = origin
        self.inputs = inputs
        self.outputs = outputs
        self.items: list[Item] = []
        self.height = 0  # 1 more than the highest part in it


class _Use:
    __slots__ = ("count", "first", "last", "origin", "outer", "part", "size")

    def __init__(self, origin: Origin, outer: _Use | None, first: int) -> None:
        self.origin = origin
        self.outer = outer
        self.first = self.last = first
        self.count = 0  # of layers
        self.size = 0  # of statements
        self.part: Part | None = None


def parts(items: Sequence[Item], outputs: Sequence[Value], flat: bool) -> list[Part]:
    """Return the net as a part, then those inside it, outer ones first.

    A use of a block is a part where the block has other uses too, where it is two statements or
    more, where its modules and nothing else have the path that its name begins with, where all
    weights it reads are its own, and where few blobs go in and out. Every other use is a piece of
    what is around it.
    """
    net = Part("", None, [], list(outputs))
    found = [net]
    uses = {} if flat else _uses(items)
    _accept(uses, items, outputs)
    for item in items:
        node = item.node
        outer = net
        for origin in node.origin if node is not None and uses else ():
            part = uses[id(origin)].part
            if part is None:
                continue
            if not part.items:
                found.append(part)
                call = Item(None, part, part.inputs, part.outputs)
                call.made = call.called = part.path
                outer.items.append(call)
            outer = part
        outer.items.append(item)
    for part in reversed(found):
        inside = [item.part.height + 1 for item in part.items if item.part is not None]
        part.height = max(inside, default=0)
    return found


def _uses(items: Sequence[Item]) -> dict[int, _Use]:
    """Return every use of a block by its origin, outer ones before those in them."""
    uses: dict[int, _Use] = {}
    for position, item in enumerate(items):
        outer = None
        for origin in item.node.origin if item.node is not None else ():
            use = uses.get(id(origin))
            if use is None:
                use = uses[id(origin)] = _Use(origin, outer, position)
            use.last = position
            use.count += 1
            outer = use
    return uses


def _accept(uses: dict[int, _Use], items: Sequence[Item], outputs: Sequence[Value]) -> None:
    """Make a part of each use that can be one; inner uses are judged first."""
    if not uses:
        return
    below: dict[str, int] = {}  # modules under each group
    for item in items:
        at = item.made.rfind(".")
        while at >= 0:
            below[item.made[:at]] = below.get(item.made[:at], 0) + 1
            at = item.made.rfind(".", 0, at)
    last = {id(value): at for at, item in enumerate(items) for value in item.bottoms}
    last.update((id(value), len(items)) for value in outputs)
    places = {id(item.node): at for at, item in enumerate(items)}
    for use in uses.values():
        use.size += use.count
        if use.outer is not None:
            use.outer.size -= use.count
    times = Counter(use.origin.block for use in uses.values())
    for use in reversed(uses.values()):
        inside = items[use.first : use.last + 1]
        path = _path(use, inside) if times[use.origin.block] > 1 else ""
        if path and below[path] == sum(1 for item in inside if item.made):
            closed = all(_own(item, path, use, places) for item in inside)
            use.part = _bounded(use, path, inside, last) if closed else None
        if use.outer is not None:
            use.outer.size += 1 if use.part is not None else use.size


def _path(use: _Use, inside: Sequence[Item]) -> str:
    """Return the path that all modules of a use are under, where they alone have one."""
    prefix = use.origin.prefix
    outer = use.outer.origin.prefix if use.outer is not None else ""
    if use.size < 2 or use.count != len(inside) or not prefix.endswith(".") or prefix == outer:
        return ""
    depth = prefix.count(".")
    made = [item.made.split(".", depth) for item in inside if item.made]
    paths = {".".join(parts[:depth]) for parts in made if len(parts) > depth}
    return paths.pop() if len(paths) == 1 and all(len(parts) > depth for parts in made) else ""


def _own(item: Item, path: str, use: _Use, places: dict[int, int]) -> bool:
    """Return whether a statement needs no module and no weight from outside of a use."""
    node = item.node
    if node is None or (item.called and not item.called.startswith(f"{path}.")):
        return False
    owners = [weight.owner[0] for weight in (*node.weights, *node.state) if weight.owner]
    return all(use.first <= places.get(id(owner), -1) <= use.last for owner in owners)


def _bounded(use: _Use, path: str, inside: Sequence[Item], last: dict[int, int]) -> Part | None:
    """Return the part of a use, unless too many blobs go in or out."""
    made = {id(value) for item in inside for value in item.tops}
    read = [value for item in inside for value in item.bottoms if id(value) not in made]
    inputs = list({id(value): value for value in read}.values())
    outputs = [v for item in inside for v in item.tops if last.get(id(v), -1) > use.last]
    if len(inputs) > INPUTS or not 1 <= len(outputs) <= OUTPUTS:
        return None
    return Part(path, use.origin, inputs, outputs)
