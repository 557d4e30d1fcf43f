"""Tell what a file that need not be a spec is, and read it as one."""

from __future__ import annotations

import re

from .. import codes
from ..diagnostics import Report, SpecError
from ..document import BYTES, Document, decode, parse, read_bytes
from ..spec import as_list
from . import prototxt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

SUFFIXES = {
    ".prototxt": "prototxt", ".pbtxt": "prototxt", ".prototext": "prototxt", ".cfg": "darknet",
}  # fmt: skip
_BLANK = rb"(?:\s|#[^\n]*\n)*"
_LOOKS = (
    ("darknet", rb"(?:;[^\n]*\n\s*)*\[(?:net|network)\]"),
    ("prototxt", rb"(?:train_net|test_net|net|base_lr|test_iter|solver_mode)\s*:"),
    ("prototxt", rb"layers?\s*:?\s*[{<]"),
    # a name, then a field that is no YAML
    ("prototxt", rb"(?:name|input)\s*:\s*[\"'][^\n]*[\"'][\s;,]*\n" + _BLANK
     + rb"[a-z_]+\s*(?::\s*[\"'0-9]|:?\s*[{<])"),
)  # fmt: skip


def document(
    path: str,
    report: Report,
    shapes: Mapping[str, Sequence[Any]],
    allow_unknown: bool = False,
    raw: bytes | None = None,
) -> Document:
    """Return the file `path`, or the bytes that were in it, as a document of a spec's value."""
    if raw is None:
        raw = read_bytes(path, report, max(BYTES, prototxt.MAX_BYTES))
    kind = kind_of(path, raw)
    if kind == "prototxt":
        from . import caffe

        name = "<stdin>" if path == "-" else path
        return caffe.read(prototxt.decode(name, raw), report, shapes, allow_unknown)
    if kind == "darknet":
        from . import darknet

        return darknet.read(path, raw, report, shapes)
    return parse(decode(path, raw, report), report)


def kind_of(path: str, raw: bytes) -> str:
    """Return `prototxt`, `darknet`, or nothing for what should be a spec."""
    for suffix, kind in SUFFIXES.items():
        if path.endswith(suffix):
            return kind
    head = raw[:65536].removeprefix(b"\xef\xbb\xbf")
    return next((kind for kind, look in _LOOKS if re.match(_BLANK + look, head)), "")


def _drop_unread(found: Document) -> None:
    """Leave out the inputs that no layer reads, where nobody knows their shape."""
    inputs = found.value.get("inputs", {})
    read = {name for entry in found.value["layers"] for name in as_list(entry.get("bottom", []))}
    for name in [name for name in inputs if name not in read and found.wanted_shape(name)]:
        del inputs[name]
    if "inputs" in found.value and not inputs:
        del found.value["inputs"]


def spec_text(
    path: str,
    report: Report,
    shapes: Mapping[str, Sequence[Any]],
    allow_unknown: bool = False,
    flat: bool = False,
) -> str:
    """Return the spec of a foreign file as YAML that a person would have written."""
    from . import yaml_text

    raw = read_bytes(path, report, max(BYTES, prototxt.MAX_BYTES))
    failed: SpecError | None = None
    try:
        found = document(path, Report(), shapes, allow_unknown, raw)
    except SpecError as error:
        if kind_of(path, raw) != "prototxt":
            raise
        from . import caffe

        # a solver can be had without its net
        failed = error
        found = caffe.read(prototxt.decode(path, raw), report, shapes, allow_unknown, alone=True)
        if found.solver is None:
            raise
    kind = kind_of(path, raw)
    if not kind:
        report.fatal(codes.UnknownImport, None, file=path)
    from . import caffe_tidy

    _drop_unread(found)
    value = caffe_tidy.tidy(found, flat, counted=kind == "darknet")
    if "blocks" in value:
        plain = caffe_tidy.tidy(found, True)
        value = value if yaml_text.same_net(value, plain) else plain
    places: dict[str, tuple[str | int, ...]] = {}
    places.update((name, ("inputs", name)) for name in found.value.get("inputs", {}))
    for index, entry in enumerate(found.value["layers"]):
        if entry["type"] == "Input" or entry["type"] == "Python":
            for slot, name in enumerate(as_list(entry["top"])):
                if name not in places or found.wanted_shape(name, ("layers", index)):
                    places[name] = ("layers", index, "top", slot)
    code = {name for entry in found.value["layers"] if entry["type"] == "Python"
            for name in as_list(entry["top"])}  # fmt: skip
    for name, place in places.items():
        # what code makes can be told in the spec too, once there is one
        if (hint := found.wanted_shape(name)) and name not in code:
            report.add(codes.ShapeNeeded, found.span(*place), input=name, hint=hint)
    for name in shapes.keys() - places.keys():
        if found.value["layers"]:
            hint = f"it has: {', '.join(places)}" if places else ""
            report.add(codes.UnknownSymbol, None, what="input", name=name, hint=hint)
    report.close()
    if failed is not None:
        said = str(failed.diagnostics[0]).partition(": error")[2] or str(failed.diagnostics[0])
        value["notes"] = f"The solver's net could not be imported: error{said}"
    comments = caffe_tidy.comments(found) if kind == "prototxt" else None  # type: ignore[arg-type]
    if comments is not None:
        comments.layers = caffe_tidy.gathered(comments.layers, value)
    if not value["layers"] and "solver" in value:
        del value["layers"]  # its net is elsewhere: this is a part of a spec
    return yaml_text.text(value, comments)
