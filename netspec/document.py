"""parse: a YAML text to plain data, within limits, and with the place of any part of it."""

from __future__ import annotations

import gc
import os
import re
import stat
import sys

import yaml
from yaml import events

from . import codes
from .diagnostics import LIMIT, SpecError, show
from .places import Parser, Places, extent
from .text import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from .diagnostics import Code, Related, Report

BYTES = 10_000_000  # of one file
DEPTH = 100  # of nested values, aliases written out
NODES = 1_000_000  # of a document with aliases, aliases written out
DIGITS = 400  # of one number
KEY = 1_024  # characters of one key; the limit is YAML's

_ENCODINGS = (  # the marks of UTF-32 begin with those of UTF-16
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
# Patterns only some text needs are compiled when it comes: compiling takes longer than reading.
_FORBIDDEN = (
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069"
    "\ud800-\udfff\ufeff\ufffe\uffff\U000e0000-\U000e007f]"
)
_CONTROL = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_SURROGATE = "[\ud800-\udfff]"
_SURROGATE_ESCAPE = r"\\(?:u|U0000)[dD][89a-fA-F][0-9a-fA-F]{2}"
_CONFLICT = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
_BLANK = r"(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n?|\n))*"
_TAG = r"!(?:<[^>\s]*>|[^\s,\[\]{}]*)"

_DECIMAL = re.compile(r"[-+]?[0-9]+").fullmatch
_OCTAL = re.compile(r"0o[0-7]+").fullmatch
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+").fullmatch
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?").fullmatch
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)").fullmatch
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_UNKNOWN: Any = object()
_OUT_OF_RANGE: Any = object()
_MERGE: Any = object()  # holds the place of `<<` until its mapping ends
_REMEMBERED = 4_096  # plain scalars resolved once; names beyond that are mostly unique


_INDENT = "check the indentation"
_SYNTAX = (  # part of what PyYAML says, what is said instead, a hint
    ("mapping values", "`: ` is not allowed here", f"{_INDENT}, or put the text in quotes"),
    ("sequence entries", "`- ` is not allowed here", "begin the list on a line of its own"),
    ("escape", "this is not an escape", "a backslash is written as two"),
    ("alphabetic or numeric", "expected a name of letters, digits, `-` and `_`", ""),
    ("'-' indicator", "expected the next item of the list, or its end", _INDENT),
    ("expected key", "expected the next key of the mapping, or its end", _INDENT),
    ("<block end>", "expected the next entry, or the end of these", _INDENT),
    ("node content", "expected a value", ""),
    ("document start", "expected the end of the document", ""),
)


class Document:
    """The plain data of one text; places are found when first asked for."""

    __slots__ = ("_places", "source", "value")

    def __init__(self, source: Source, value: Any) -> None:
        self.source = source
        self.value = value
        self._places: Places | None = None

    @property
    def templated(self) -> bool:
        """Return whether the text may hold variables."""
        return "$" in self.source.text

    def wanted_shape(self, name: str, path: tuple[str | int, ...] = ()) -> str:
        """Return how to give the shape of an input; empty where the text, at `path`, says it."""
        return ""

    def span(self, *path: str | int) -> Span:
        """Return the span of the value at `path`, or of its nearest ancestor that is there."""
        return self._found.span(self._found.find(path)[1])

    def key_span(self, *path: str | int) -> Span:
        """Return the span of the key at `path`; of the value where that is an item of a list."""
        return self._found.span(self._found.find(path)[0])

    def span_in(self, path: tuple[str | int, ...], start: int, end: int) -> Span:
        """Return the span of characters `start` to `end` of the string at `path`."""
        return self._found.part(self._found.find(path)[1], start, end)

    @property
    def _found(self) -> Places:
        if self._places is None:
            self._places = Places(self.source)
        return self._places


def read(path: str, report: Report, limit: int = BYTES) -> Source:
    """Return the checked text of the file `path`, `-` being the standard input."""
    return decode(path, read_bytes(path, report, limit), report)


def read_bytes(path: str, report: Report, limit: int = BYTES) -> bytes:
    """Return the bytes of the file `path`, `-` being the standard input."""
    name = "<stdin>" if path == "-" else path
    try:
        raw = _bytes(path, limit)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path, a closed input
        reason = getattr(error, "strerror", None) or str(error)
        report.fatal(codes.UnreadableFile, None, file=name, reason=reason)
    if len(raw) > limit:
        report.fatal(codes.FileTooLarge, Source(name, "").span(0, 0), limit=f"{limit:,}")
    return raw


def decode(path: str, raw: bytes, report: Report) -> Source:
    """Return bytes as a source once they are UTF-8 and its characters are checked."""
    name = "<stdin>" if path == "-" else path
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        readable = Source(name, raw.decode(errors="replace"))
        at = len(raw[: error.start].decode())
        marks = (f"it is {found}" for mark, found in _ENCODINGS if raw.startswith(mark))
        reason = next(marks, error.reason)
        report.fatal(codes.NotUtf8, readable.span(at), offset=error.start, reason=reason)
    return read_text(name, text, report)


def read_text(name: str, text: str, report: Report) -> Source:
    """Return `text` as a source once its characters are checked."""
    source = Source(name, text.removeprefix("\ufeff"))
    text = source.text
    wrong = 0
    forbidden = _CONTROL if text.isascii() else _FORBIDDEN
    for found in re.compile(forbidden).finditer(text):
        character = f"U+{ord(found[0]):04X}"
        report.add(codes.ForbiddenCharacter, source.span(found.start()), character=character)
        if (wrong := wrong + 1) == LIMIT:
            break
    if wrong:
        raise SpecError(report.diagnostics)
    if markers := [at for marker in _CONFLICT if (at := _conflict(text, marker)) >= 0]:
        at = min(markers)
        marker = text[at : at + 7]
        report.fatal(
            codes.YamlSyntax,
            source.span(at, at + 7),
            problem=f"`{marker}` marks a merge conflict",
            hint="keep one side and remove the markers",
        )
    return source


def parse(source: Source, report: Report) -> Document:
    """Return the one document of `source` as dicts, lists, text, numbers, booleans and None."""
    collecting = gc.isenabled()
    gc.disable()  # plain data has no cycles, and looking for them takes longer than parsing
    try:
        return Document(source, _Reading(source, report).value())
    finally:
        if collecting:
            gc.enable()


def _bytes(path: str, limit: int) -> bytes:
    if path == "-":
        if sys.stdin is None:
            raise ValueError("there is no standard input")
        return sys.stdin.buffer.read(limit + 1)
    flags = os.O_RDONLY
    for flag in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):  # opening a FIFO must not wait
        flags |= getattr(os, flag, 0)
    with open(os.open(path, flags), "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise ValueError("it is not a regular file")
        return file.read(limit + 1)


def _conflict(text: str, marker: str) -> int:
    """Return where a line begins with the merge conflict `marker`; -1 where none does."""
    at = 0 if text.startswith(marker) else text.find("\n" + marker) + 1 or -1
    while at >= 0:
        after = text[at + 7 : at + 8]
        if after in "\r\n" or (after == " " and marker != "======="):
            break
        at = text.find("\n" + marker, at) + 1 or -1
    return at


def _plain(text: str) -> Any:
    """Return the value of a plain scalar, as the core schema of YAML 1.2 has it."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-.":
        return text
    if _DECIMAL(text):
        digits = text.lstrip("+-").lstrip("0")
        value = int(text) if len(digits) < 20 and len(text) <= DIGITS else None
    elif _OCTAL(text) or _HEXADECIMAL(text):
        value = int(text, 0) if len(text) <= DIGITS else None
    elif _FLOAT(text):
        number = float(text) if len(text) <= DIGITS else float("inf")
        return number if abs(number) != float("inf") else _OUT_OF_RANGE
    else:
        return _OUT_OF_RANGE if _NOT_FINITE(text) else text
    return _OUT_OF_RANGE if value is None or abs(value) >= 2**63 else value


class _Anchor:
    __slots__ = ("event", "grown", "level", "levels", "nodes", "value")

    def __init__(self, event: Any, value: Any, nodes: int, level: int) -> None:
        self.event = event
        self.value = value
        self.nodes = nodes  # before it; once it is closed, in it
        self.level = level  # containers around it and itself
        self.levels = -1  # of containers in it, itself included; -1 while it is open
        self.grown = 0  # nodes its aliases added


class _Reading:
    """One pass over the events of a source."""

    def __init__(self, source: Source, report: Report) -> None:
        self.source = source
        self.report = report
        self.failed = False
        self.stack: list[tuple[Any, Any]] = []  # every container around, with the key it is at
        self.anchors: dict[str, _Anchor] = {}
        self.open: list[tuple[_Anchor, int]] = []  # with the deepest level seen in it
        self.nodes = 0
        self.places: Places | None = None

    def value(self) -> Any:
        """Return the value of the only document."""
        parser = Parser(self.source.text)
        try:
            value = self.read(parser)
        except yaml.YAMLError as error:
            self.refuse_syntax(error)
        except (ValueError, OverflowError):  # of the scanner in Python, on an escape
            at = getattr(parser, "index", 0)
            self.fatal(codes.YamlSyntax, self.source.span(at), problem="this is not an escape")
        if self.failed:
            raise SpecError(self.report.diagnostics)
        return value

    def read(self, parser: Any) -> Any:
        self.refuse_directive(0)
        text = self.source.text
        # most specs have none of these, and they cost a look at every event
        careful = any(sign in text for sign in ("&", "*", "!", '"', "'", "|", ">", "<<"))
        scalar, alias = events.ScalarEvent, events.AliasEvent
        mapping, mapping_end = events.MappingStartEvent, events.MappingEndEvent
        sequence, sequence_end = events.SequenceStartEvent, events.SequenceEndEvent
        get = parser.get_event
        stack = self.stack
        known = dict(_WORDS)
        recall = known.get
        root: list[Any] = []
        container: Any = root
        key: Any = None  # None: a key comes next, or the container is a list
        while True:
            event = get()
            kind = event.__class__
            value: Any
            if kind is scalar:
                said = event.value
                if careful and event.style:
                    value = said
                elif (value := recall(said, _UNKNOWN)) is _UNKNOWN:
                    value = _plain(said)
                    if value is _OUT_OF_RANGE:
                        if key is not None or container.__class__ is list:
                            self.wrong(codes.NumberOutOfRange, self.span(event), value=said)
                    elif len(known) < _REMEMBERED:
                        known[said] = value
                if careful:
                    self.note(event, value)
                    if said == "<<" and not event.style and key is None:
                        value = _MERGE if container.__class__ is dict else said
            elif kind is mapping or kind is sequence:
                if len(stack) >= DEPTH:
                    self.fatal(codes.TooDeep, self.first(event), limit=DEPTH)
                if key is None and container.__class__ is dict:
                    found = "a mapping" if kind is mapping else "a list"
                    self.fatal(codes.KeyNotText, self.first(event), found=found)
                stack.append((container, key))
                container = {} if kind is mapping else []
                key = None
                if careful:
                    self.note(event, container)
                continue
            elif kind is mapping_end or kind is sequence_end:
                if careful:
                    self.close(container)
                value = container
                container, key = stack.pop()
            elif kind is alias:
                value = self.alias(event)
            elif kind is events.DocumentEndEvent:
                break
            elif kind is events.StreamEndEvent:
                self.fatal(codes.EmptyDocument, self.source.span(0, 0))
            else:
                continue

            if key is not None:
                container[key] = value
                key = None
            elif container.__class__ is list:
                container.append(value)
            elif value.__class__ is not str and value is not _MERGE:
                found = getattr(event, "value", "") or show(value)
                self.wrong(codes.KeyNotText, self.span(event), found=found)
                key = object()
            elif value in container:
                self.refuse_duplicate(event, value)
                key = object()
            else:
                key = value
        self.refuse_second(parser, event)
        if root[0] is None and not self.find().text:
            self.fatal(codes.EmptyDocument, self.source.span(0, 0))
        return root[0]

    def note(self, event: Any, value: Any) -> None:
        """Count a node, refuse its tag and keep its anchor."""
        container = event.__class__ is not events.ScalarEvent
        if event.tag is not None:
            self.refuse_tag(event.start_mark.index)
        if not container and event.style == '"' and (wrong := re.compile(_SURROGATE).search(value)):
            escape = f"\\u{ord(wrong[0]):04X}"
            self.wrong(codes.ForbiddenCharacter, self.span(event), character=escape)
        if container:
            self.reach(len(self.stack))
        if event.anchor is not None:
            anchor = _Anchor(event, value, self.nodes, len(self.stack))
            if first := self.anchors.get(event.anchor):
                related = [(self.properties(first.event), "first defined here")]
                span = self.properties(event)
                self.wrong(codes.AnchorRedefined, span, related, anchor=event.anchor)
            self.anchors[event.anchor] = anchor
            if container:
                self.open.append((anchor, anchor.level))
            else:
                anchor.nodes, anchor.levels = 1, 0
        self.nodes += 1

    def reach(self, level: int) -> None:
        """Note that the open anchors reach down to `level`."""
        if self.open and level > self.open[-1][1]:
            self.open[-1] = (self.open[-1][0], level)

    def close(self, value: Any) -> None:
        """End a container: its anchor can be used from here, and its merges are done."""
        if self.open and self.open[-1][0].value is value:
            anchor, level = self.open.pop()
            anchor.nodes = self.nodes - anchor.nodes
            anchor.levels = level - anchor.level + 1
            self.reach(level)
        if value.__class__ is dict and _MERGE in value:
            self.merge(value)

    def merge(self, value: dict[Any, Any]) -> None:
        """Put what `<<` names into `value`: its own keys win, then the earlier mappings."""
        path = (*self.path(), "<<")
        merged = value.pop(_MERGE)
        listed = merged.__class__ is list
        for index, source in enumerate(merged if listed else [merged]):
            if source.__class__ is not dict:
                span = self.find(*path, index) if listed else self.find(*path)
                self.wrong(codes.BadMergeKey, span, found=source)
                continue
            for key, item in source.items():
                value.setdefault(key, item)

    def alias(self, event: Any) -> Any:
        """Return the value of an alias once its size and depth are known to fit."""
        name = event.anchor
        if (anchor := self.anchors.get(name)) is None:
            self.fatal(codes.UndefinedAlias, self.span(event), anchor=name)
        if anchor.levels < 0:
            related = [(self.properties(anchor.event), "the anchor stands here")]
            self.fatal(codes.RecursiveAlias, self.span(event), related, anchor=name)
        level = len(self.stack) + anchor.levels
        if level > DEPTH:
            self.fatal(codes.TooDeep, self.span(event), limit=DEPTH)
        self.reach(level)
        self.nodes += anchor.nodes
        anchor.grown += anchor.nodes
        if self.nodes > NODES:
            worst, most = max(self.anchors.items(), key=lambda item: item[1].grown)
            related = [(self.properties(most.event), "this anchor grows the most")]
            limit = f"{NODES:,}"
            self.fatal(codes.TooManyNodes, self.span(event), related, limit=limit, anchor=worst)
        return anchor.value

    def wrong(self, code: type[Code], span: Span, related: Related = (), **facts: Any) -> None:
        """Note an error that leaves the rest readable."""
        self.failed = True
        self.report.add(code, span, related, **facts)
        if len(self.report.diagnostics) >= LIMIT:
            raise SpecError(self.report.diagnostics)

    def fatal(self, code: type[Code], span: Span, related: Related = (), **facts: Any) -> NoReturn:
        self.report.fatal(code, span, related, **facts)

    def refuse_duplicate(self, event: Any, key: Any) -> None:
        shown = "<<" if key is _MERGE else key
        places = self.index()
        first = places.span(places.find((*self.path(), shown))[0])
        self.wrong(codes.DuplicateKey, self.span(event), [(first, "first given here")], key=shown)

    def refuse_tag(self, at: int) -> None:
        if found := re.compile(_TAG).search(self.source.text, at):
            self.wrong(codes.TagNotAllowed, self.source.span(*found.span()), tag=found[0])

    def refuse_directive(self, start: int) -> int:
        """Refuse `%` before a document: reading many directives takes quadratic time."""
        text = self.source.text
        if found := re.compile(_BLANK).match(text, start):
            start = found.end()
        if text.startswith("%", start):
            span = self.source.span(start)
            self.fatal(codes.YamlSyntax, span, problem="YAML directives are not read")
        return start

    def refuse_second(self, parser: Any, end: Any) -> None:
        start = self.refuse_directive(end.end_mark.index)
        if end.explicit and self.source.text[start : start + 1] not in ("", ".", "#"):
            self.fatal(codes.SeveralDocuments, self.source.span(start))
        event = parser.get_event()
        if event.__class__ is not events.StreamEndEvent:
            self.fatal(codes.SeveralDocuments, self.span(event))

    def refuse_syntax(self, error: yaml.YAMLError) -> NoReturn:
        """Say what PyYAML found, at the cause rather than where reading stopped."""
        text = self.source.text
        problem = str(getattr(error, "problem", None) or "this cannot be read")
        context = str(getattr(error, "context", None))
        mark = getattr(error, "problem_mark", None)
        at = min(mark.index if mark else getattr(error, "position", 0), len(text))
        mark = getattr(error, "context_mark", None)
        opened = min(mark.index, at) if mark else at
        sign = text[at : at + 1]
        if escape := re.compile(_SURROGATE_ESCAPE).match(text, max(0, at - 2)):
            span = self.source.span(*escape.span())
            self.fatal(codes.ForbiddenCharacter, span, character=escape[0])
        if "tag" in problem or "a tag" in context:
            self.refuse_tag(opened)
            raise SpecError(self.report.diagnostics)

        hint = ""
        related: Related = ()
        key = opened if "simple key" in context else _key_start(text, at)
        if (sign == ":" or key == opened) and _line_end(text, key, at) - key > KEY:
            at, problem = key, f"a key may have at most {KEY:,} characters"
        elif "quoted scalar" in context and "escape" not in problem:
            at, problem = opened, "this quote is never closed"
        elif "simple key" in context:
            at, problem = opened, "expected `:` after this"
        elif "',' or" in problem:
            bracket = text[opened : opened + 1]
            if sign and "\n" not in text[opened:at]:
                related = [(self.source.span(opened), "opened here")]
                problem = f"expected `,` or `{']' if bracket == '[' else '}'}`"
            else:
                at, problem = opened, f"this `{bracket}` is never closed"
        elif sign == "\t" or "tab character" in problem:
            problem, hint = "a tab cannot indent", "indent with spaces"
        elif "cannot start any token" in problem:
            problem, hint = f"`{sign}` cannot begin a value", "put the text in quotes"
        else:
            ours = (row[1:] for row in _SYNTAX if row[0] in problem)
            problem, hint = next(ours, (problem.replace("did not find ", ""), ""))
            if opened < at:
                related = [(self.source.span(opened), "what it belongs to begins here")]
        span = self.source.span(at, min(at + 1, len(text)))
        self.fatal(codes.YamlSyntax, span, related, problem=problem, hint=hint)

    def path(self) -> tuple[Any, ...]:
        """Return the path of the container being read."""
        return tuple(
            len(inside) if inside.__class__ is list else "<<" if key is _MERGE else key
            for inside, key in self.stack[1:]
        )

    def index(self) -> Places:
        if self.places is None:
            self.places = Places(self.source)
        return self.places

    def find(self, *path: Any) -> Span:
        return self.index().span(self.index().find(path)[1])

    def span(self, event: Any) -> Span:
        return self.source.span(*extent(self.source.text, event))

    def first(self, event: Any) -> Span:
        return self.source.span(extent(self.source.text, event)[0])

    def properties(self, event: Any) -> Span:
        at = self.source.text.find("&", event.start_mark.index)
        return self.source.span(at, at + 1 + len(event.anchor))


def _key_start(text: str, end: int) -> int:
    """Return where the key that ends at `end` begins."""
    start = 1 + max(text.rfind(sign, 0, end) for sign in "\n,{[")
    return end - len(text[start:end].lstrip())


def _line_end(text: str, start: int, end: int) -> int:
    stop = text.find("\n", start, end)
    return end if stop < 0 else stop
