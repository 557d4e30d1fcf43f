"""Write a spec as a Caffe prototxt: every phase in one file, blocks written out."""

from __future__ import annotations

from .. import codes
from ..dim import Dim
from ..expand import Choice, expand
from ..spec import as_list
from . import caffe_forks, caffe_schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..diagnostics import Report
    from ..graph import Graph, Node
    from ..spec import Spec

    Raw = dict[str, Any]

KEPT = ("param", "loss_weight", "propagate_down", "include", "exclude", "phase")


def prototxt(
    spec: Spec, load: Any, scale: str | None, vars: Raw, shapes: Mapping[str, Sequence[Any]],
    report: Report,
) -> str:  # fmt: skip
    """Return the text; raise where a spec says what Caffe has no words for."""
    states = [Choice(phase, scale, stages, 0, vars) for phase in ("TRAIN", "TEST")
              for stages in _stages(spec)]  # fmt: skip
    graphs = [expand(spec, choice.within(spec.state), report, load) for choice in states]
    report.close()
    nodes = _merged(graphs)
    lines = [f"name: {_string(scale or spec.name)}"]
    if spec.state:
        lines += _message("state", spec.state, "NetState", "")
    if spec.document.value.get("force_backward"):
        lines.append("force_backward: true")
    for name in spec.inputs:
        lines += _input(name, spec, shapes, report)
    for node in nodes:
        phases = {
            choice.phase for choice, graph in zip(states, graphs, strict=True)
            if any(_key(each) == _key(node) for each in graph.nodes)
        }  # fmt: skip
        lines += _layer(node, phases, spec)
    report.close()
    return "\n".join(lines) + "\n"


def _stages(spec: Spec) -> list[tuple[str, ...]]:
    stages = spec.stages()
    return [(), *((stage,) for stage in stages), tuple(stages)] if stages else [()]


def _key(node: Node) -> tuple[str, int]:
    return node.name, id(node.place.document) ^ hash(node.place.path)


def _merged(graphs: Sequence[Graph]) -> list[Node]:
    """Return the layers of all graphs, each once, in an order that suits every graph."""
    merged: list[Node] = []
    for graph in graphs:
        at = 0
        places = {_key(node): index for index, node in enumerate(merged)}
        for node in graph.nodes:
            known = places.get(_key(node))
            if known is not None:
                at = known + 1
                continue
            merged.insert(at, node)
            at += 1
            places = {_key(each): index for index, each in enumerate(merged)}
    return merged


def _input(name: str, spec: Spec, shapes: Mapping[str, Sequence[Any]], report: Report) -> list[str]:
    declared = spec.inputs[name]
    dims = shapes.get(name) or (declared["shape"] if isinstance(declared, dict) else declared)
    if any(not isinstance(dim, int) for dim in dims):
        report.add(
            codes.ShapeNeeded, spec.document.span("inputs", name), input=name,
            hint=f"Caffe has no symbols: --shape {name}={','.join(map(_bound, dims))}",
        )  # fmt: skip
        return []
    entry = {"name": name, "type": "Input", "top": name, "input_param": {"shape": {"dim": dims}}}
    return _message("layer", entry, "LayerParameter", "")


def _bound(dim: Any) -> str:
    usual = {"N": "1", "C": "3", "H": "224", "W": "224"}
    return str(dim) if isinstance(dim, int) else usual.get(str(dim), "1")


def _layer(node: Node, phases: set[str], spec: Spec) -> list[str]:
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
    return _message("layer", found, "LayerParameter", "")


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
