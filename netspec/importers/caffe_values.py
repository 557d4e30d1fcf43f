"""Check a parsed prototxt against Caffe's messages, and give it as plain values."""

from __future__ import annotations

from .. import codes
from ..diagnostics import Report, nearest
from . import caffe_forks, caffe_schema
from .caffe_schema import FieldType
from .prototxt import Document, Field, Message, Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..diagnostics import Code, Related
    from ..text import Span

_TRUE = ("true", "True", "t")
_FALSE = ("false", "False", "f")
_ARTICLES = {"bool": "true or false", "string": "text in quotes", "bytes": "text in quotes"}
_MULTIPLIERS = {"blobs_lr": "lr_mult", "weight_decay": "decay_mult"}
_FLOATS = {"inf": float("inf"), "infinity": float("inf"), "nan": float("nan")}


class Unknown:
    """A field or an enum word that BVLC Caffe does not have; its value is kept all the same."""

    __slots__ = ("code", "facts", "field", "span", "type")

    def __init__(
        self, code: type[Code], type: str, field: str, span: Span, facts: dict[str, Any]
    ) -> None:
        self.code = code
        self.type = type
        self.field = field
        self.span = span
        self.facts = facts

    def add_to(self, report: Report) -> None:
        """Note it as an error."""
        report.add(self.code, self.span, **self.facts)


class Values:
    """Plain values of a document: dicts, lists of repeated fields, and scalars.

    A field that was not given is absent; `caffe_schema` has the defaults. An enum value is its
    word. A path is the way to a value through the dicts and lists, such as
    `("layer", 3, "convolution_param", "kernel_size", 0)`.
    """

    __slots__ = ("document", "root", "type", "unknown")

    def __init__(self, document: Document, type: str) -> None:
        self.document = document
        self.type = type
        self.root: dict[str, Any] = {}
        self.unknown: list[Unknown] = []

    def span(self, *path: str | int) -> Span:
        """Return the place of the value at `path`, or of the nearest value around it."""
        field = self.field(*path)
        return self.document.value_span(field) if field else self.document.source.span()

    def name_span(self, *path: str | int) -> Span:
        """Return the place of the name of the field at `path`, or of the nearest around it."""
        field = self.field(*path)
        return self.document.name_span(field) if field else self.document.source.span()

    def refuse_unknown(self, report: Report) -> None:
        """Note every unknown field and word as an error."""
        for unknown in self.unknown:
            unknown.add_to(report)

    def field(self, *path: str | int) -> Field | None:
        """Return the field at `path`, or the nearest around it."""
        message, found = self.document.root, None
        fields: list[Field] = []
        for step in path:
            if isinstance(step, int):
                if not -len(fields) <= step < len(fields):
                    return found
                found = fields[step]
                continue
            if found is not None:
                if not isinstance(found.value, Message):
                    return found
                message = found.value
            fields = [field for field in message.named(step) if field.value is not None]
            if not fields:
                return found
            found = fields[0]
        return found


def read(document: Document, type: str, report: Report) -> Values:
    """Return the values of `document`, a message of the given type; note what is wrong with it.

    Unknown fields and words are not noted but kept in `unknown`, since other Caffes have more.
    """
    return _Reader(document, type).read(report)


class _Reader:
    def __init__(self, document: Document, root: str) -> None:
        self.document = document
        self.values = Values(document, root)
        self.faults: list[tuple[int, type[Code], Span, Related, dict[str, Any]]] = []
        self.work: list[tuple[Message, str, dict[str, Any]]] = []

    def read(self, report: Report) -> Values:
        """Walk all messages, those of the unknown fields too, and note the faults in order."""
        self.work.append((self.document.root, self.values.type, self.values.root))
        while self.work:
            message, type, values = self.work.pop()
            if type:
                self.message(message, type, values)
            else:
                self.unknown_message(message, values)
        for _, code, span, related, facts in sorted(self.faults, key=lambda fault: fault[0]):
            report.add(code, span, related, **facts)
        self.values.unknown.sort(key=lambda unknown: unknown.span.start)
        return self.values

    def message(self, message: Message, type: str, values: dict[str, Any]) -> None:
        known = caffe_schema.message(type)
        for field in message.fields:
            if (expected := known.get(field.name)) is None:
                self.unknown_field(field, type)
                self.keep(field, values)
            elif expected.repeated:
                items = values.setdefault(field.name, [])
                if field.value is not None:
                    items.append(self.value(field, expected, type))
            elif (field.listed or field.name in values) and caffe_forks.repeats(
                type, field.name, message
            ):
                before = values.setdefault(field.name, [])
                items = before if isinstance(before, list) else [before]
                if field.value is not None:
                    items.append(self.value(field, expected, type))
                values[field.name] = items
            elif field.listed:
                self.fault(codes.FieldType, field, expected="one value", value="a list")
            elif field.name in values:
                span = self.document.name_span(field)
                first = [
                    (self.document.name_span(message.named(field.name)[0]), "given first here")
                ]
                facts: dict[str, Any] = {"field": field.name}
                self.faults.append((field.at, codes.FieldTwice, span, first, facts))
            else:
                values[field.name] = self.value(field, expected, type)
        for name, expected in known.items():
            if expected.required and name not in values:
                span = self.document.source.span(message.start)
                facts = {"message": type, "field": name}
                self.faults.append((message.start, codes.FieldMissing, span, (), facts))

    def value(self, field: Field, expected: FieldType, owner: str) -> object:
        """Return the value of a field, None where it is wrong."""
        type, value = expected.type, field.value
        scalar = type in caffe_schema.SCALARS or caffe_schema.is_enum(type)
        if isinstance(value, Message):
            if scalar:
                return self.fault(
                    codes.FieldType, field, expected=_expected(type), value="a message"
                )
            inner: dict[str, Any] = {}
            self.work.append((value, type, inner))
            return inner
        assert value is not None
        if not scalar:
            return self.fault(codes.FieldType, field, expected="a message", value=_shown(value))
        if type in ("string", "bytes"):
            if value.kind == "string":
                return value.value
            word = value.text
            if owner == "LayerParameter" and word in caffe_schema.enum("LayerType"):
                from .caffe_upgrade import v2_type

                word = v2_type(word)  # a type as V1 has it
            hint = f'put it in quotes: "{word}"'
            return self.fault(
                codes.FieldType, field, expected=_expected(type), value=_shown(value), hint=hint
            )
        if type in caffe_schema.RANGES:
            return self.integer(field, value, type)
        if type in ("float", "double"):
            return self.number(field, value)
        return self.truth(field, value) if type == "bool" else self.word(field, value, type, owner)

    def integer(self, field: Field, value: Scalar, type: str) -> object:
        if value.kind != "number" or not isinstance(value.value, int):
            number = value.value
            whole = isinstance(number, float) and number.is_integer() and abs(number) < 1e15
            return self.fault(
                codes.FieldType, field, expected="a whole number", value=_shown(value),
                hint=f"write {number:.0f}" if whole else "",
            )  # fmt: skip
        lowest, highest = caffe_schema.RANGES[type]
        if not lowest <= value.value <= highest or (value.text[0] == "-" and lowest == 0):
            return self.fault(
                codes.IntegerRange, field, value=_shown(value), lowest=lowest, highest=highest
            )
        return value.value

    def number(self, field: Field, value: Scalar) -> object:
        if value.kind == "identifier" and value.text.lower() in _FLOATS:
            return _FLOATS[value.text.lower()]
        if value.kind != "number":
            return self.fault(codes.FieldType, field, expected="a number", value=_shown(value))
        digits = value.text.removeprefix("-")
        if isinstance(value.value, int) and digits[0] == "0" and len(digits) > 1:
            return self.fault(
                codes.FieldType, field, expected="a decimal number", value=_shown(value)
            )
        try:
            return float(value.value)
        except OverflowError:
            return float("-inf") if value.text[0] == "-" else float("inf")

    def truth(self, field: Field, value: Scalar) -> object:
        if value.kind == "identifier" and value.text in _TRUE + _FALSE:
            return value.text in _TRUE
        if isinstance(value.value, int) and value.value in (0, 1) and value.text[0] != "-":
            return value.value == 1
        lower = value.text.lower()
        return self.fault(
            codes.FieldType, field, expected=_expected("bool"), value=_shown(value),
            hint=f"write {lower}" if lower in ("true", "false") else "",
        )  # fmt: skip

    def word(self, field: Field, value: Scalar, type: str, owner: str) -> object:
        words = caffe_schema.enum(type)
        if value.kind == "identifier" and value.text in words:
            return value.text
        if value.kind == "number" and isinstance(value.value, int):
            for word, number in words.items():
                if number == value.value:
                    return word
        elif value.kind != "identifier":
            hint = f"without the quotes: {value.text}" if value.text in words else ""
            if type == "LayerType":
                hint = "types stand in quotes in `layer`, where `layers` has words"
            return self.fault(
                codes.FieldType, field, expected=_expected(type), value=_shown(value), hint=hint
            )
        span = self.document.value_span(field)
        choices = ", ".join(words)
        near = nearest(value.text, words)
        facts: dict[str, Any] = {"field": field.name, "value": value.text, "choices": choices}
        facts["hint"] = f"did you mean `{near}`?" if near else ""
        self.values.unknown.append(Unknown(codes.UnknownWord, owner, field.name, span, facts))
        return value.text

    def unknown_field(self, field: Field, type: str) -> None:
        known = caffe_schema.message(type)
        near = nearest(field.name, known)
        hint = f"did you mean `{near}`?" if near else f"{type} has {', '.join(known)}"
        if type == "LayerParameter" and field.name in _MULTIPLIERS:
            hint = f"`layers` has it; in `layer` it is param {{ {_MULTIPLIERS[field.name]}: .. }}"
        facts: dict[str, Any] = {"message": type, "field": field.name, "hint": hint}
        span = self.document.name_span(field)
        self.values.unknown.append(Unknown(codes.UnknownField, type, field.name, span, facts))

    def unknown_message(self, message: Message, values: dict[str, Any]) -> None:
        for field in message.fields:
            self.keep(field, values)

    def keep(self, field: Field, values: dict[str, Any]) -> None:
        """Keep the value of an unknown field; a second one makes a list of it."""
        value: object = [] if field.value is None else None
        if isinstance(field.value, Message):
            inner: dict[str, Any] = {}
            self.work.append((field.value, "", inner))
            value = inner
        elif field.value is not None:
            value = field.value.value
        if field.name not in values:
            values[field.name] = [value] if field.listed and field.value is not None else value
        elif isinstance(values[field.name], list):
            values[field.name].append(value)
        else:
            values[field.name] = [values[field.name], value]

    def fault(self, code: type[Code], field: Field, **facts: object) -> object:
        """Note a fault of a value, and return what stands for the value."""
        facts["field"] = field.name
        self.faults.append((field.start, code, self.document.value_span(field), (), facts))
        return None


def _shown(value: Scalar) -> str:
    return f'"{value.text}"' if value.kind == "string" else value.text


def _expected(type: str) -> str:
    if type in _ARTICLES:
        return _ARTICLES[type]
    if type in caffe_schema.RANGES:
        return "a whole number"
    if caffe_schema.is_enum(type):
        return f"one of {', '.join(caffe_schema.enum(type))}"
    return "a number"
