"""Graph: layers, the values they read and make, and how names lead to them."""

from __future__ import annotations

from . import codes
from .spec import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from .blob import Blob
    from .diagnostics import Report
    from .layer import Layer
    from .text import Span


class Origin(Place):
    """One use of a block: its entry, how names in it begin, and the variables it was given."""

    __slots__ = ("block", "defaults", "given", "prefix")

    def __init__(
        self, place: Place, block: str, prefix: str, given: dict[str, Any], defaults: dict[str, Any]
    ) -> None:
        super().__init__(place.document, place.path)
        self.block = block
        self.prefix = prefix
        self.given = given
        self.defaults = defaults  # of the block's variables, as written


class Value:
    """One version of a blob: who makes it, and who reads it."""

    __slots__ = ("blob", "maker", "name", "readers")

    def __init__(self, name: str, maker: Node | None, blob: Blob | None = None) -> None:
        self.name = name
        self.maker = maker  # None for an input
        self.blob = blob
        self.readers: list[Node] = []

    def __repr__(self) -> str:
        return f"Value({self.name}: {self.blob})"


class Node:
    """One layer of the flat net: its type with params, what it reads and what it makes."""

    __slots__ = (
        "bottoms",
        "entry",
        "frozen",
        "in_place",
        "index",
        "layer",
        "macs",
        "name",
        "origin",
        "rejected",
        "state",
        "tops",
        "weight_key",
        "weights",
        "within",
    )

    def __init__(
        self,
        name: str,
        layer: Layer,
        entry: dict[str, Any],
        within: Place,
        index: int,
        origin: tuple[Origin, ...],
        weight_key: str,
        frozen: bool,
    ) -> None:
        self.name = name
        self.layer = layer
        self.entry = entry
        self.within = within  # the list of entries it stands in, and where in it
        self.index = index
        self.origin = origin
        self.weight_key = weight_key
        self.frozen = frozen
        self.in_place = False
        self.rejected = False  # inference passes over it, so that nothing echoes its fault
        self.bottoms: list[Value] = []
        self.tops: list[Value] = []
        self.weights: Sequence[Any] = ()
        self.state: Sequence[Any] = ()
        self.macs: Any = 0

    def __repr__(self) -> str:
        return f"Node({self.name}: {self.type})"

    @property
    def place(self) -> Place:
        """Return where the layer's entry is written."""
        return self.within.at(self.index)

    @property
    def type(self) -> str:
        """Return the name of the layer's type."""
        return type(self.layer).__name__


class Scope:
    """The blobs that names mean at one place: of the net, or of one use of a block."""

    __slots__ = ("made", "names", "prefix", "weights")

    def __init__(self, prefix: str = "", weights: str = "") -> None:
        self.names: dict[str, Value] = {}
        self.made: set[str] = set()  # names made here, not handed in
        self.prefix = prefix
        self.weights = weights


class Graph:
    """The flat net in execution order; blobs are single-assignment values."""

    def __init__(self) -> None:
        self.inputs: dict[str, Value] = {}
        self.declared: dict[str, Any] = {}  # the inputs' shapes as written, variables set
        self.expect: list[Any] = []  # the expectations, likewise
        self.nodes: list[Node] = []
        self.outputs: dict[str, Value] = {}
        self.names: dict[str, Value] = {}  # what a name at the top level means in the end
        self.layer_names: dict[str, Node] = {}

    def connect(
        self, node: Node, scope: Scope, bottoms: Sequence[str], tops: Sequence[str], report: Report
    ) -> None:
        """Add a layer after all others: look its bottoms up, and give its tops their names."""
        if (other := self.layer_names.setdefault(node.name, node)) is not node:
            report.add(
                codes.DuplicateLayer,
                node.place.span("name"),
                [(other.place.span("name"), "the first one")],
                layer=node.name,
            )
        names = scope.names
        for index, bottom in enumerate(bottoms):
            value = names.get(bottom)
            if value is None:
                undefined(node.name, bottom, index, node.place, scope, report)
                value = Value(bottom, None)  # no echo: its blob stays unknown
            node.bottoms.append(value)
        _check_counts(node, len(tops), report)
        for index, top in enumerate(tops):
            in_place = index < len(bottoms) and bottoms[index] == top
            old = names.get(top)
            if in_place:
                node.in_place = True
                self._check_in_place(node, node.bottoms[index], report)
            elif old is not None and top in scope.made:
                where = (
                    old.maker.place.span("name")
                    if old.maker
                    else (node.place.document.key_span("inputs", top))
                )
                report.add(
                    codes.DuplicateTop,
                    _listed(node.place, "top", index),
                    [(where, f"`{top}` is made here" if old.maker else f"`{top}` is an input")],
                    blob=top,
                    maker=f"already made by `{old.maker.name}`" if old.maker else "an input",
                )
            value = Value(scope.prefix + top, node)
            names[top] = value
            scope.made.add(top)
            node.tops.append(value)
        for value in node.bottoms:
            value.readers.append(node)
        self.nodes.append(node)

    def _check_in_place(self, node: Node, value: Value, report: Report) -> None:
        reader, maker = (
            next((each for each in value.readers if each is not node), None),
            value.maker,
        )
        if sum(bottom is value for bottom in node.bottoms) > 1:
            reader = node
        if not node.layer.in_place:
            report.add(
                codes.BadParam, node.place.span("top"), param="top", value=value.name,
                layer=node.name, reason=f"cannot be its bottom: {node.type} does not work in place",
                hint="give the top another name",
            )  # fmt: skip
        elif reader is not None or (maker is not None and _weighted(maker, value)):
            by, key = (reader, "name") if reader else (maker, "loss_weight")
            assert by is not None  # one of the two
            name, where = by.name if reader else f"{by.name}.loss_weight", by.place.span(key)
            report.add(
                codes.SharedInPlace, node.place.span("top"), [(where, f"`{name}` reads it here")],
                layer=node.name, blob=value.name, reader=name,
            )  # fmt: skip

    def keep(self, wanted: Iterable[Value], start: int = 0) -> None:
        """Drop the layers from `start` on that no wanted value needs."""
        needed = {id(value) for value in wanted}
        kept: list[Node] = []
        for node in reversed(self.nodes[start:]):
            if any(id(value) in needed for value in node.tops):
                needed.update(id(value) for value in node.bottoms)
                kept.append(node)
            else:
                del self.layer_names[node.name]
                for value in node.bottoms:
                    value.readers.remove(node)
        self.nodes[start:] = reversed(kept)


def _weighted(node: Node, top: Value) -> bool:
    """Return whether a top is a part of the loss because `loss_weight` says so."""
    given = node.entry.get("loss_weight", [])
    weights = given if isinstance(given, list) else [given]
    index = next(index for index, value in enumerate(node.tops) if value is top)
    return index < len(weights) and weights[index] != 0


def undefined(
    layer: str, blob: str, index: int, place: Place, scope: Scope, report: Report
) -> None:
    """Report a bottom that nothing makes."""
    from .diagnostics import LIMIT, nearest

    shown = len(report.diagnostics) < LIMIT  # each looks at every name there is
    near = nearest(blob, scope.names) if shown else ""
    hint = f"did you mean `{near}`?" if near else place.document.wanted_shape(blob)
    related: list[tuple[Any, str]] = []
    for other, entry in _siblings(place) if shown else ():
        tops = entry.get("top", entry.get("name"))
        if blob not in (tops if isinstance(tops, list) else [tops]):
            continue
        if other.path == place.path:
            hint = "a layer cannot read what it makes"
        elif other.path[-1] > place.path[-1]:
            related = [(other.span("name"), f"`{blob}` is made here, after it is read")]
            hint = "layers run in the order of the file: move one of the two"
        else:
            label = f"`{blob}` is made here, by a layer left out of this net"
            related = [(other.span("name"), label)]
            hint = "see its `include`, `exclude` or `when`"
    span = _listed(place, "bottom", index)
    report.add(codes.UndefinedBlob, span, related, layer=layer, blob=blob, hint=hint)


def _siblings(place: Place) -> Iterable[tuple[Any, dict[str, Any]]]:
    """Yield the entries of the list that an entry stands in, with their places."""
    entries = place.document.value
    for step in place.path[:-1]:
        entries = entries[step]
    for index, entry in enumerate(entries):
        yield Place(place.document, (*place.path[:-1], index)), entry


def _listed(place: Place, key: str, index: int) -> Span:
    """Return the place of one item of a repeated field, or of the only one; else of the name."""
    value = place.document.value
    for step in place.path:
        value = value[step]
    if key not in value:
        return place.span("name")
    return place.span(key, index) if isinstance(value[key], list) else place.span(key)


def _check_counts(node: Node, tops: int, report: Report) -> None:
    layer = node.layer
    for code, key, limits, count in (
        (codes.WrongBottomCount, "bottom", layer.bottoms, len(node.bottoms)),
        (codes.WrongTopCount, "top", layer.tops, tops),
    ):
        least, most = limits if isinstance(limits, tuple) else (limits, limits)
        if count < least or (most is not None and count > most):
            expected = (
                str(least)
                if least == most
                else f"at least {least}"
                if most is None
                else f"{least} to {most}"
            )
            expected += f" {key}" if expected == "1" else f" {key}s"
            where = node.place.span(key) if key in node.entry else node.place.span("name")
            report.add(code, where, type=node.type, layer=node.name, expected=expected, count=count)
            node.rejected = True
    for key, count in ("loss_weight", tops), ("propagate_down", len(node.bottoms)):
        given = node.entry.get(key)
        values = given if isinstance(given, list) else [given]
        if given is not None and len(values) != count:
            report.add(
                codes.WrongCount, node.place.span(key), key=key, layer=node.name,
                expected=f"{count}", count=len(values),
            )  # fmt: skip
            node.rejected = True
    if "propagate_down" in node.entry and not node.rejected:
        for index in layer.no_gradient:
            if index < len(node.bottoms) and values[index]:
                report.add(
                    codes.NoPropagation,
                    _listed(node.place, "propagate_down", index), layer=node.name,
                    blob=node.bottoms[index].name, reason=f"{node.type} has no derivative there",
                )  # fmt: skip
