"""Write a spec as a Caffe prototxt: every phase in one file, blocks written out."""

from __future__ import annotations

import re
from itertools import combinations

from .. import codes
from ..diagnostics import Report, SpecError, printable
from ..dim import Dim
from ..expand import Choice, expand
from ..expression import ExpressionError
from ..expression import size as parse_size
from ..spec import as_list
from . import caffe_forks, caffe_schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..graph import Graph, Node
    from ..spec import Spec

    Raw = dict[str, Any]

_SYMBOL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
STAGES = 5  # names of stages looked at in every combination
KEPT = ("param", "loss_weight", "propagate_down", "include", "exclude", "phase")


def prototxt(
    spec: Spec, load: Any, scale: str | None, vars: Raw, shapes: Mapping[str, Sequence[Any]],
    report: Report, phase: str | None = None, at: Mapping[str, int] | None = None,
) -> str:  # fmt: skip
    """Return the text, of one phase or of all; raise where Caffe has no words for a spec.

    A phase in which the net is broken is left out, as long as another one is whole.
    """
    choices = [Choice(each, scale, stages, 0, vars) for each in ("TRAIN", "TEST")
               for stages in _stages(spec) if not phase or phase.upper() == each]  # fmt: skip
    states, graphs, reports = [], [], []
    for choice in choices:
        reports.append(found := Report())
        graph = _graph(spec, choice, load, found)
        if graph is not None:
            states.append(choice)
            graphs.append(graph)
    if not graphs:
        raise SpecError(reports[0].ordered())
    nodes = _merged(graphs)
    lines = []
    kept = {choice.phase for choice in states}
    for choice, found in zip(choices, reports, strict=True):
        if choice.phase not in kept:
            kept.add(choice.phase)
            why = printable(found.diagnostics[0].message)
            lines.append(f"# The phase {choice.phase} is left out: {why}")
    lines.append(f"name: {_string(scale or spec.name)}")
    if spec.state:
        lines += _message("state", spec.state, "NetState", "")
    if spec.document.value.get("force_backward"):
        lines.append("force_backward: true")
    sizes = _sizes(spec, shapes, at or {})
    for name in spec.inputs:
        lines += _input(name, spec, shapes, sizes, report)
    whole = len({choice.phase for choice in states}) > 1
    for node in nodes:
        phases = {
            choice.phase for choice, graph in zip(states, graphs, strict=True)
            if any(_key(each) == _key(node) for each in graph.nodes)
        }  # fmt: skip
        lines += _layer(node, phases if whole else set(), spec, sizes, report)
    report.close()
    return "\n".join(lines) + "\n"


def _graph(spec: Spec, choice: Choice, load: Any, report: Report) -> Graph | None:
    try:
        graph = expand(spec, choice.within(spec.state), report, load)
        report.close()
    except SpecError:
        return None
    return graph


def _stages(spec: Spec) -> list[tuple[str, ...]]:
    """Return the sets of stages to look at: all there are, of a few; else each, none and all."""
    stages = spec.stages()
    if len(stages) <= STAGES:
        counts = range(len(stages) + 1)
        return [picked for count in counts for picked in combinations(stages, count)]
    return [(), *((stage,) for stage in stages), tuple(stages)]


def _key(node: Node) -> tuple[str, int]:
    return node.name, id(node.place.document) ^ hash(node.place.path)


def _merged(graphs: Sequence[Graph]) -> list[Node]:
    """Return the layers of all graphs, each once, in an order that suits every graph."""
    merged: list[Node] = []
    for graph in graphs:
        places = {_key(node): index for index, node in enumerate(merged)}
        found: list[Node] = []
        waiting: list[Node] = []  # in this net alone: right before the next that others have too
        done = 0
        for node in graph.nodes:
            at = places.get(_key(node))
            if at is None:
                waiting.append(node)
            elif at >= done:
                found += [*merged[done:at], *waiting, merged[at]]
                waiting = []
                done = at + 1
        merged = [*found, *merged[done:], *waiting]
    return merged


def _sizes(
    spec: Spec, shapes: Mapping[str, Sequence[Any]], at: Mapping[str, int]
) -> dict[str, int]:
    """Return the sizes of symbols: as given, and as the shapes given for inputs tell them."""
    found: dict[str, int] = {}
    for name, given in shapes.items():
        if name in spec.inputs and len(dims := _dims(spec, name)) == len(given):
            found.update(
                (dim, size) for dim, size in zip(dims, given, strict=True)
                if isinstance(dim, str) and isinstance(size, int)
            )  # fmt: skip
    return {**found, **at}


def _dims(spec: Spec, name: str) -> Sequence[Any]:
    declared = spec.inputs[name]
    found: Sequence[Any] = declared["shape"] if isinstance(declared, dict) else declared
    return found


def _input(
    name: str, spec: Spec, shapes: Mapping[str, Sequence[Any]], sizes: Raw, report: Report
) -> list[str]:
    dims = [sizes.get(dim, dim) for dim in shapes.get(name) or _dims(spec, name)]
    unknown = [dim for dim in dims if not isinstance(dim, int)]
    if unknown:
        known = all(_SYMBOL.fullmatch(dim) for dim in unknown)
        option = ",".join(f"{dim}={_bound(dim)}" for dim in dict.fromkeys(unknown))
        report.add(
            codes.ShapeNeeded, spec.document.span("inputs", name), input=name,
            hint=f"Caffe has no symbols: --at {option}" if known
            else f"Caffe has no symbols: --shape {name}={','.join(map(_bound, dims))}",
        )  # fmt: skip
        return []
    entry = {"name": name, "type": "Input", "top": name, "input_param": {"shape": {"dim": dims}}}
    return _message("layer", entry, "LayerParameter", "")


def _bound(dim: Any) -> str:
    usual = {"N": "1", "C": "3", "H": "224", "W": "224"}
    return str(dim) if isinstance(dim, int) else usual.get(str(dim), "1")


def _layer(
    node: Node, phases: set[str], spec: Spec, sizes: Mapping[str, int], report: Report
) -> list[str]:
    entry = node.entry
    renamed = getattr(spec.document, "renamed", {})
    kind = next((k for k, ours in caffe_forks.TYPES.items() if ours == node.type), node.type)
    found: Raw = {"name": renamed.get(node.name, node.name), "type": kind}
    found["bottom"] = [value.name for value in node.bottoms]
    found["top"] = [value.name for value in node.tops]
    for key, value in entry.items():
        if key in KEPT or key in node.layer.messages:
            found[key] = value
    if node.frozen:
        given = as_list(entry.get("param", []))
        count = len(node.layer.blob_order(list(node.weights), list(node.state)))
        given = given + [{}] * (max(count, 2) - len(given))
        found["param"] = [{**each, "lr_mult": 0} for each in given]
    if len(phases) == 1 and not found.keys() & {"include", "exclude"}:
        found["include"] = [{"phase": next(iter(phases))}]
    symbols: dict[str, None] = {}
    try:
        found = {key: _numbered(key, value, sizes, symbols) for key, value in found.items()}
    except ExpressionError as error:
        report.add(error.code, node.place.span("name"), (), **error.facts)
        return []
    if symbols:
        option = ",".join(f"{symbol}={_bound(symbol)}" for symbol in symbols)
        report.add(
            codes.ShapeNeeded, node.place.span("name"), input=node.tops[0].name,
            hint=f"Caffe has no symbols: --at {option}",
        )  # fmt: skip
        return []
    return _message("layer", found, "LayerParameter", "")


def _numbered(name: str, value: Any, sizes: Mapping[str, int], symbols: dict[str, None]) -> Any:
    """Return a value with numbers for the symbols of its shapes; note those without a number."""
    if isinstance(value, dict):
        return {key: _numbered(key, item, sizes, symbols) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbered(name, item, sizes, symbols) for item in value]
    if name not in ("dim", "shape") or not isinstance(value, str):
        return value
    size = parse_size(value)
    if isinstance(size, Dim):
        size = size.at(sizes)
    if isinstance(size, Dim):
        symbols.update(dict.fromkeys(sorted(size.symbols)))
    return size


def _message(name: str, value: Any, type: str, indent: str) -> list[str]:
    """Return one message as lines; a short one on a line of its own."""
    known = caffe_schema.message(type) if type else {}
    inner: list[str] = []
    items = [("dim", value)] if type == "BlobShape" and isinstance(value, list) else value.items()
    for key, item in items:
        field = known.get(key)
        kind = field.type if field is not None else ""
        plain = kind in caffe_schema.SCALARS or caffe_schema.is_enum(kind)
        shapes = kind == "BlobShape" and isinstance(item, list)
        if shapes and not (item and isinstance(item[0], dict | list)):
            inner += _message(key, item, kind, indent + "  ")
            continue
        for each in as_list(item):
            if isinstance(each, dict) or (kind == "BlobShape" and not plain):
                inner += _message(key, each, "" if plain else kind, indent + "  ")
            else:
                word = not kind and isinstance(each, str) and each.isupper()
                quoted = isinstance(each, str) and not caffe_schema.is_enum(kind) and not word
                inner.append(f"{indent}  {key}: {_string(each) if quoted else _scalar(each)}")
    short = " ".join(line.strip() for line in inner)
    if len(short) <= 60 and name not in ("layer",):
        return [f"{indent}{name} {{ {short} }}" if short else f"{indent}{name} {{ }}"]
    return [f"{indent}{name} {{", *inner, f"{indent}}}"]


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value != value or abs(value) == float("inf"):
            return "nan" if value != value else "inf" if value > 0 else "-inf"
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, Dim):
        raise ValueError(f"the size {value} is not known")
    return str(value)


def _string(value: str) -> str:
    """Return text in quotes, with bytes that are not plain ASCII as octal escapes."""
    pieces = []
    for byte in value.encode("utf-8", "surrogateescape"):
        if byte in b'"\\':
            pieces.append("\\" + chr(byte))
        elif 32 <= byte < 127:
            pieces.append(chr(byte))
        else:
            pieces.append(f"\\{byte:03o}")
    return '"' + "".join(pieces) + '"'
