"""validate: a document to a Spec of typed entries."""

from __future__ import annotations

import re

from . import codes
from .diagnostics import LIMIT
from .expression import CONSTANTS, WORDS, ExpressionError, has_variables, variables
from .schema import (
    BLOCK_KEYS,
    ENTRY,
    SPEC,
    find_type,
    judge,
    message_test,
    plainly,
    suggestion,
    unknown_type_hint,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .diagnostics import Report
    from .document import Document
    from .layer import Layer
    from .text import Span

    Path = tuple[str | int, ...]
    Raw = dict[str, Any]

ENTRY_KEYS = frozenset(ENTRY["properties"])
NAMING = frozenset({"name", "bottom", "top", "param", "include", "exclude", "loss_weight", "when"})
NAME = 128  # characters of a name
# printable ASCII without what quotes, escapes or opens something in one of the outputs
_NAME = re.compile(r"(?! )[ !#%-;=?-\[\]^_a-z|~]{1,128}(?<! )")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_entry_is_plain = plainly(ENTRY)
_spec_is_plain = plainly({key: value for key, value in SPEC.items() if key != "patternProperties"})


class Place:
    """A value in a document: where a diagnostic points."""

    __slots__ = ("document", "path")

    def __init__(self, document: Document, path: Path = ()) -> None:
        self.document = document
        self.path = path

    def at(self, *more: str | int) -> Place:
        """Return the place of a value inside this one."""
        return Place(self.document, (*self.path, *more))

    def span(self, *more: str | int) -> Span:
        """Return the span of a value inside this one, or of the nearest one around it."""
        return self.document.span(*self.path, *more)

    def key_span(self, *more: str | int) -> Span:
        """Return the span of the key of a value inside this one."""
        return self.document.key_span(*self.path, *more)


class Spec:
    """A validated document: its sections, and the typed layer of each entry known so far."""

    def __init__(self, document: Document) -> None:
        value: Raw = document.value
        self.document = document
        self.name: str = value.get("name") or "net"
        self.vars: Raw = value.get("vars") or {}
        self.scales: dict[str, Raw] = value.get("scales") or {}
        self.imports: dict[str, str] = value.get("imports") or {}
        self.inputs: Raw = value.get("inputs") or {}
        self.blocks: dict[str, Raw] = value.get("blocks") or {}
        self.layers: list[Raw] = value["layers"]
        self.outputs: list[str] | None = as_list(value["outputs"]) if "outputs" in value else None
        self.expect: list[Raw] = as_list(value.get("expect", []))
        self.solver: Raw | None = value.get("solver")
        self.state: Raw = value.get("state") or {}
        self.typed: dict[Path, list[Layer | None]] = {}  # of each list of entries, where known
        self.rejected: set[int] = set()  # by id: entries that are wrong in themselves
        self.shared: dict[Any, Layer] = {}  # one layer for all entries of one type and params
        self.templated = document.templated

    def shaped(self) -> list[str]:
        """Return the blobs whose shape a caller may give: inputs, and what data layers make."""
        found = list(self.inputs)
        for entry, layer in zip(self.layers, self.typed["layers",], strict=True):
            if layer is not None and (layer.source or layer.opaque):
                found += as_list(entry.get("top", entry["name"]))
        return found

    def stages(self) -> list[str]:
        """Return every stage a rule of the spec names, in order of appearance."""
        found: dict[str, None] = {}
        for rule in self.rules():
            for key in ("stage", "not_stage"):
                found.update(dict.fromkeys(as_list(rule.get(key, []))))
        return list(found)

    def phases(self) -> list[str]:
        """Return the phases that differ: both where a rule names one, else only TEST."""
        return ["TEST", "TRAIN"] if any("phase" in rule for rule in self.rules()) else ["TEST"]

    def rules(self) -> Iterator[Raw]:
        """Yield every include and exclude rule of the spec."""
        bodies = [self.layers, *(block["layers"] for block in self.blocks.values())]
        for body in bodies:
            for entry in body:
                if "include" in entry or "exclude" in entry:
                    yield from as_list(entry.get("include", []))
                    yield from as_list(entry.get("exclude", []))


def validate(document: Document, report: Report) -> Spec:
    """Return the spec of a document, every entry of it checked against its layer type.

    Raises where a section is wrong. An entry that is wrong is noted and passed over from here on,
    so that what is wrong elsewhere is found in the same run.
    """
    value = document.value
    if not isinstance(value, dict):
        report.fatal(codes.NotASpec, document.span(), found=_kind(value))
    sections = {key: item for key, item in value.items() if not str(key).startswith("x-")}
    if not _spec_is_plain(sections) and judge(
        SPEC, value, document, (), report, "the spec",
        lambda at: len(at) > 1 and at[0] in ("inputs", "expect"),
    ):  # fmt: skip
        report.close()
    spec = Spec(document)
    if spec.solver is not None:
        from .solving import check

        check(spec.solver, Place(document, ("solver",)), report)
    _names(spec, report)
    if spec.templated:
        _sections(spec, report)
    _entries(spec, spec.layers, ("layers",), report)
    for name, block in spec.blocks.items():
        _entries(spec, block["layers"], ("blocks", name, "layers"), report)
    return spec


def _entries(spec: Spec, entries: list[Raw], path: Path, report: Report) -> None:
    document = spec.document
    layers: list[Layer | None] = []
    spec.typed[path] = layers
    for index, entry in enumerate(entries):
        before = len(report.diagnostics)
        layer = None
        if spec.templated and holds_variables(entry):
            _check_template(entry, Place(document, (*path, index)), report)
        else:
            layer = typed(entry, document, (*path, index), report, spec.shared)
        layers.append(layer)
        if len(report.diagnostics) > before:
            spec.rejected.add(id(entry))


def _names(spec: Spec, report: Report) -> None:
    place = Place(spec.document)
    for section in ("scales", "inputs", "blocks"):
        for name in getattr(spec, section):
            if reason := bad_name(name):
                report.add(codes.BadName, place.key_span(section, name), name=name, reason=reason)
    for name in spec.imports:
        dotted = "a `.` stands before a block of the import" if "." in name else ""
        if reason := bad_name(name) or dotted:
            report.add(codes.BadName, place.key_span("imports", name), name=name, reason=reason)
    sections: list[tuple[Path, Raw]] = [(("vars",), spec.vars)]
    sections += [(("scales", scale), values) for scale, values in spec.scales.items()]
    sections += [(("blocks", b, "vars"), block.get("vars", {})) for b, block in spec.blocks.items()]
    for path, names in sections:
        for name in names:
            if not _VARIABLE.fullmatch(name) or name in WORDS or name in CONSTANTS:
                report.add(
                    codes.BadName, place.key_span(*path, name), name=name,
                    reason="a variable is a word of ASCII letters, digits and `_`, and none of "
                    "the words that expressions use",
                )  # fmt: skip


def bad_name(name: str) -> str:
    """Return why a text cannot name a layer, a blob or a block; empty where it can."""
    if _NAME.fullmatch(name):
        return ""
    if not name:
        return "it is empty"
    if len(name) > NAME:
        return f"it has {len(name):,} characters, and {NAME} are the most"
    if name[0] == " " or name[-1] == " ":
        return "it begins or ends with a space"
    wrong = next(c for c in name if not _NAME.fullmatch(c) and c != " ")
    shown = f"`{wrong}` " if wrong.isprintable() and wrong != "`" else ""
    return f"the character {shown}(U+{ord(wrong):04X}) is not allowed in one"


def good_entry(entry: Raw, place: Place, report: Report) -> bool:
    """Report what is wrong in an entry but for its layer's params; return whether nothing is."""
    if not _entry_is_plain(entry) and judge(
        ENTRY, entry, place.document, place.path, report, "this entry"
    ):
        return False
    good = True
    for key in ("name", "top"):
        given = entry.get(key, "x")
        listed = isinstance(given, list)
        for index, name in enumerate(given if listed else [given]):
            if reason := "" if _NAME.fullmatch(name) else bad_name(name):
                span = place.span(key, index) if listed else place.span(key)
                report.add(codes.BadName, span, name=name, reason=reason)
                good = False
    return good


def typed(
    entry: Raw, document: Document, path: Path, report: Report, shared: dict[Any, Layer]
) -> Layer | None:
    """Return the layer of an entry whose values are all known; None for a block or an error.

    Entries that say the same of their layer get the same object: `shared` holds those made.
    """
    usual = _usual(entry)
    if usual in shared:
        return shared[usual]
    if not good_entry(entry, Place(document, path), report):
        return None
    kind = entry.get("type")
    if kind is None or "block" in entry:
        _check_block_entry(entry, Place(document, path), report)
        return None
    cls = find_type(kind)
    if cls is None:
        _unknown_type(kind, Place(document, path), report)
        return None
    said = [(key, value) for key, value in entry.items() if key not in NAMING]
    known = usual or (repr(said), _count(entry.get("bottom")), _count(entry.get("top")))
    if known in shared:
        return shared[known]
    params: Raw = {}
    failed = False
    for key, value in entry.items():
        if key in ENTRY_KEYS:
            if key in BLOCK_KEYS:
                failed = _misplaced(key, Place(document, path), report)
            continue
        fields = cls.messages.get(key)
        if fields is None:
            _unknown_key(key, cls, Place(document, path), report)
            failed = True
        elif not message_test(cls, key)(value):
            schema = cls.schemas()[key]
            if judge(schema, value, document, (*path, key), report, f"`{key}`"):
                failed = True
                continue
            value = _whole(schema, value)
        if fields is not None and not failed:
            for field, item in value.items():
                params[fields[field].name] = item
    for needed in cls.needs():
        if needed not in entry:
            _missing_message(cls, needed, entry, Place(document, path), report)
            failed = True
    if failed:
        return None
    layer = shared[known] = cls(**params)
    return layer


def _check_template(entry: Raw, place: Place, report: Report) -> None:
    # values with variables are judged once they are known; the rest is judged now
    document, path = place.document, place.path
    if not isinstance(entry, dict):
        report.add(codes.WrongType, place.span(), key="layers", expected="a mapping", value=entry)
        return
    known = {k: v for k, v in entry.items() if k not in ENTRY_KEYS or not holds_variables(v)}
    if "name" in entry:
        known.setdefault("name", "")
    if not _entry_is_plain(known) and judge(
        ENTRY, entry, document, path, report, "this entry", lambda at: True
    ):
        return
    if not _readable(entry, place, report):
        return
    kind = entry.get("type")
    if "block" in entry or kind is None:
        _check_block_entry(entry, place, report)
        return
    if not isinstance(kind, str) or has_variables(kind):
        return
    cls = find_type(kind)
    if cls is None:
        _unknown_type(kind, place, report)
        return
    for key, value in entry.items():
        if key in ENTRY_KEYS:
            continue
        fields = cls.messages.get(key)
        if fields is None:
            _unknown_key(key, cls, place, report)
        elif not isinstance(value, str):
            schema = cls.schemas()[key]
            properties = schema["properties"]
            plain = isinstance(value, dict) and all(
                field in properties and (holds_variables(item) or plainly(properties[field])(item))
                for field, item in value.items()
            )
            if not plain or any(field not in value for field in schema["required"]):
                judge(schema, value, document, (*path, key), report, f"`{key}`", lambda at: True)
    for needed in cls.needs():
        if needed not in entry:
            _missing_message(cls, needed, entry, place, report)


def _sections(spec: Spec, report: Report) -> None:
    # what is wrong in a variable, every entry that reads it would say again
    place = Place(spec.document)
    parts: list[tuple[Path, Any]] = [
        (("vars",), spec.vars), (("scales",), spec.scales), (("inputs",), spec.inputs),
        (("outputs",), spec.outputs),
    ]  # fmt: skip
    parts += [(("blocks", b, "vars"), block.get("vars")) for b, block in spec.blocks.items()]
    good = [_readable(part, place.at(*path), report) for path, part in parts]
    if not all(good):
        report.close()


def _readable(value: Any, place: Place, report: Report) -> bool:
    """Report the texts in a value that are no expressions; return whether there were none."""
    good = True
    pending = [(value, place)]
    while pending:
        item, here = pending.pop()
        if isinstance(item, str):
            try:
                if "$" in item:
                    variables(item)
            except ExpressionError as error:
                span = here.document.span_in(here.path, error.start, error.end)
                report.add(error.code, span, (), **error.facts)
                good = False
        elif isinstance(item, dict):
            pending += [(inside, here.at(key)) for key, inside in item.items()]
        elif isinstance(item, list):
            pending += [(inside, here.at(index)) for index, inside in enumerate(item)]
    return good


def _check_block_entry(entry: Raw, place: Place, report: Report) -> None:
    if "block" in entry and "type" in entry:
        report.add(codes.Conflict, place.key_span("block"), key="type", other="block")
    elif "block" not in entry:
        report.add(
            codes.MissingKey, place.span("name"), where=f"`{entry.get('name', '')}`", key="type",
            what="", hint="give the `type` of a layer, or the name of a `block`",
        )  # fmt: skip
    for key in entry.keys() - ENTRY_KEYS:
        report.add(
            codes.UnknownKey,
            place.key_span(key),
            key=key,
            where="a block entry",
            hint=suggestion(key, ENTRY_KEYS, "keys here"),
        )


def _misplaced(key: str, place: Place, report: Report) -> bool:
    report.add(
        codes.UnknownKey,
        place.key_span(key),
        key=key,
        where="a layer",
        hint=f"`{key}` belongs to an entry with `block`",
    )
    return True


def _unknown_type(kind: str, place: Place, report: Report) -> None:
    # a hint looks at every type there is: those after the limit are not shown
    hint = unknown_type_hint(kind) if len(report.diagnostics) < LIMIT else ""
    report.add(codes.UnknownLayerType, place.span("type"), type=kind, hint=hint)


def _unknown_key(key: str, cls: type[Layer], place: Place, report: Report) -> None:
    known = {*ENTRY_KEYS - BLOCK_KEYS, *cls.messages}
    hint = suggestion(key, known, "keys here") if len(report.diagnostics) < LIMIT else ""
    if key.endswith("_param") and cls.message in cls.messages:
        hint = f"the params of {cls.__name__} stand under `{cls.message}`"
    report.add(
        codes.UnknownKey, place.key_span(key), key=key, where=f"a layer of type {cls.__name__}",
        hint=hint,
    )  # fmt: skip


def _missing_message(
    cls: type[Layer], message: str, entry: Raw, place: Place, report: Report
) -> None:
    if any(key.endswith("_param") and key not in cls.messages for key in entry):
        return  # it is there under a wrong name, which is told already
    needed = [f"`{p.field}` ({p.doc})" for p in cls.messages[message].values() if p.required]
    report.add(
        codes.MissingKey,
        place.span("type"),
        where=cls.__name__,
        key=message,
        what=f": it needs {' and '.join(needed)}",
    )


def _whole(schema: Raw, value: Raw) -> Raw:
    # JSON Schema takes 3.0 for a whole number; the rules want 3
    def whole(kinds: Any, item: Any) -> Any:
        if isinstance(item, list):
            return [whole(kinds, each) for each in item]
        integer = "integer" in kinds and "number" not in kinds
        return int(item) if integer and isinstance(item, float) else item

    fields = schema["properties"]
    return {key: whole(fields[key].get("type", ()), item) for key, item in value.items()}


def holds_variables(value: Any) -> bool:
    """Return whether a value of the document holds a `${}`, `$name` or `$$` anywhere."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if "$" in item and ("$$" in item or has_variables(item)):
                return True
        elif isinstance(item, dict):
            pending += item.values()
        elif isinstance(item, list):
            pending += item
    return False


def as_list(value: Any) -> list[Any]:
    """Return a repeated field as a list: one value stands for a list of one."""
    return value if isinstance(value, list) else [value]


def _usual(entry: Raw) -> tuple[Any, ...] | None:
    """Return what an entry says of its layer, its names apart, where it has the usual form.

    That is a name, a type, blobs and at most one message, well formed all of them; what the
    message holds is not looked at. None: the entry is to be judged.
    """
    kind, said, counts = None, None, [0, 0]
    for key, value in entry.items():
        if key == "name":
            if type(value) is not str or not _NAME.fullmatch(value):
                return None
        elif key == "type":
            if type(value) is not str:
                return None
            kind = value
        elif key == "bottom" or key == "top":
            for name in value if type(value) is list else [value]:
                if type(name) is not str or (key == "top" and not _NAME.fullmatch(name)):
                    return None
            counts[key == "top"] = len(value) if type(value) is list else 1
        elif said is None and key.endswith("_param"):
            said = (key, repr(value))
        else:
            return None
    return (kind, said, *counts) if kind and "name" in entry else None


def _count(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0 if value is None else 1


def _kind(value: Any) -> str:
    names = {list: "a list", str: "text", int: "a number", float: "a number", bool: "a boolean"}
    return names.get(type(value), "nothing")
