"""Read protobuf text format: a text -> a tree of messages, with the place of every value."""

from __future__ import annotations

import re

from .. import codes
from ..diagnostics import Report, show
from ..text import Source, Span
from . import kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from ..diagnostics import Code

MAX_BYTES = 16 * 2**20
MAX_DEPTH = 64
MAX_FIELDS = 400_000
MAX_DIGITS = 1_000  # characters of one number

Value = str | int | float


class Scalar:
    """A value that is no message.

    `kind` is `string`, `identifier` or `number`. `text` is the token as it was written, a sign
    joined to it; for a string it is the value. A string may hold lone surrogates: they stand for
    bytes that are not UTF-8, as `surrogateescape` has it.
    """

    __slots__ = ("kind", "text", "value")

    def __init__(self, kind: str, text: str, value: Value) -> None:
        self.kind = kind
        self.text = text
        self.value = value


class Field:
    """One value of a message, or an empty list, whose value is None.

    `at` is the offset of the name; `start` and `end` are the offsets of the value. A list
    `[a, b]` makes one field an item, each with `listed` set.
    """

    __slots__ = ("at", "end", "listed", "name", "start", "value")

    def __init__(
        self, name: str, at: int, value: Message | Scalar | None, start: int, end: int, listed: bool
    ) -> None:
        self.name = name
        self.at = at
        self.value = value
        self.start = start
        self.end = end
        self.listed = listed


class Message:
    """Fields in the order they were written; `start` and `end` hold the braces."""

    __slots__ = ("_named", "end", "fields", "start")

    def __init__(self, start: int, end: int) -> None:
        self.fields: list[Field] = []
        self.start = start
        self.end = end
        self._named: dict[str, list[Field]] | None = None

    def named(self, name: str) -> list[Field]:
        """Return the fields called `name`."""
        if self._named is None:
            self._named = {}
            for field in self.fields:
                self._named.setdefault(field.name, []).append(field)
        return self._named.get(name, [])


class Document:
    """A parsed text: its outermost message, and its comments as (start, end) offsets."""

    __slots__ = ("comments", "root", "source")

    def __init__(self, source: Source, root: Message, comments: list[tuple[int, int]]) -> None:
        self.source = source
        self.root = root
        self.comments = comments

    def name_span(self, field: Field) -> Span:
        """Return the place of a field's name."""
        return self.source.span(field.at, field.at + len(field.name))

    def value_span(self, field: Field) -> Span:
        """Return the place of a field's value; of a message, its opening brace."""
        end = field.start + 1 if isinstance(field.value, Message) else field.end
        return self.source.span(field.start, end)


def decode(name: str, data: bytes) -> Source:
    """Return bytes as a source; bytes that are not UTF-8 become lone surrogates."""
    return kind.decode(name, data, MAX_BYTES, "a prototxt")


def parse(source: Source) -> Document:
    """Return the text of `source` as a tree; raise SpecError at the first mistake of syntax."""
    return _Parser(source).document()


_TOKEN = re.compile(
    r"[ \t\r\n\v\f]*(?:"
    r"([A-Za-z_][A-Za-z0-9_]*)"  # 1: an identifier
    r"|(0[xX][0-9A-Fa-f]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fF]?)"  # 2
    r"|([\"'])"  # 3: the quote that opens a string
    r"|([{}<>\[\]:;,./-])"  # 4: a symbol
    r"|(\#[^\n\0]*)"  # 5: a comment
    r"|\Z)"
)
_NAME, _NUMBER, _STRING, _SYMBOL, _COMMENT, _END = 1, 2, 3, 4, 5, 0
_STOPS = {'"': re.compile(r'["\\\n\0]'), "'": re.compile(r"['\\\n\0]")}
_SPACE = re.compile(r"[ \t\r\n\v\f]*")
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\?'\"])|([0-7]{1,3})|[xX]([0-9A-Fa-f]{1,2})"
    r"|u([dD][89abAB][0-9A-Fa-f]{2})\\u([dD][c-fC-F][0-9A-Fa-f]{2})"  # one character, as UTF-16
    r"|u([0-9A-Fa-f]{4})|U(00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4}))"
)
_PLACE = re.compile(r"\$\{?\w+\}?|\{\{?[ \t]*\w+[ \t]*\}\}?|%[sdf]|%\(\w+\)[sdf]|@\w+@|<%=?.*?%>")
_LETTERS = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip
_CLOSERS = {"{": "}", "<": ">"}
_WORDS = {"inf": float("inf"), "infinity": float("inf"), "nan": float("nan")}


_List = tuple[str, int, bool]  # name, its offset, and whether a colon stood after it


class _Parser:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.comments: list[tuple[int, int]] = []
        self.count = 0
        self.kind = _END  # of the current token
        self.token = ""
        self.start = 0
        self.end = 0
        self.last = 0  # where the token before it ended
        self.raw = False  # whether the current string has escapes

    def document(self) -> Document:
        """Return the tree: a loop over fields, with the open messages on a stack of its own."""
        message = root = Message(0, len(self.text))
        stack: list[tuple[Message, str, _List | None]] = []
        listing: _List | None = None  # name of the list being read
        self.advance()
        while True:
            if listing is None:
                if self.kind == _END:
                    if stack:
                        self.unclosed(message)
                    break
                if self.kind == _SYMBOL and self.token in "}>":
                    message, listing = self.close(message, stack)
                    listing = self.after(listing)
                    continue
                name, at = self.name()
                colon = self.take(":")
                if self.take("["):
                    if self.take("]"):
                        self.add(message, Field(name, at, None, self.last - 1, self.last, True))
                        self.separator()
                        continue
                    listing = (name, at, colon)
            else:
                name, at, colon = listing
            if self.kind == _SYMBOL and self.token in _CLOSERS:
                inner = Message(self.start, self.end)
                self.add(message, Field(name, at, inner, self.start, self.end, listing is not None))
                if len(stack) + 1 >= MAX_DEPTH:
                    self.report(codes.TooDeep, self.start, self.end, limit=MAX_DEPTH)
                stack.append((message, _CLOSERS[self.token], listing))
                message, listing = inner, None
                self.advance()
                continue
            if not colon:
                self.templated(at, name)
                self.fail(f"expected `:` after `{name}`, found {self.found()}")
            start = self.start
            scalar = self.scalar(name)
            self.add(message, Field(name, at, scalar, start, self.last, listing is not None))
            listing = self.after(listing)
        return Document(self.source, root, self.comments)

    def add(self, message: Message, field: Field) -> None:
        self.count += 1
        if self.count > MAX_FIELDS:
            self.report(codes.TooManyFields, field.at, field.at + 1, limit=f"{MAX_FIELDS:,}")
        message.fields.append(field)

    def after(self, listing: _List | None) -> _List | None:
        """Read what may follow a value, and return the list that goes on."""
        if listing is None:
            self.separator()
            return None
        if self.take("]"):
            self.separator()
            return None
        if not self.take(","):
            self.fail(f"expected `,` or `]` in the list `{listing[0]}`, found {self.found()}")
        return listing

    def separator(self) -> None:
        if self.kind == _SYMBOL and self.token in ";,":
            self.advance()

    def close(
        self, message: Message, stack: list[tuple[Message, str, _List | None]]
    ) -> tuple[Message, _List | None]:
        if not stack:
            self.fail(f"`{self.token}` closes nothing")
        outer, closer, listing = stack.pop()
        if self.token != closer:
            opened = self.source.span(message.start)
            self.fail(f"expected `{closer}`, found `{self.token}`", [(opened, "opened here")])
        message.end = outer.fields[-1].end = self.end
        self.advance()
        return outer, listing

    def unclosed(self, message: Message) -> NoReturn:
        opener = self.text[message.start]
        self.fail(
            f"the text ends, and `{opener}` is not closed",
            [(self.source.span(message.start), "opened here")],
        )

    def name(self) -> tuple[str, int]:
        name, at = self.token, self.start
        if self.kind == _NAME:
            self.advance()
            return name, at
        if not self.take("["):
            self.templated(self.start, self.token)
            comment = "; a comment starts with `#`" if self.token == "/" else ""
            self.fail(f"expected the name of a field, found {self.found()}{comment}")
        parts = ["["]
        while self.kind == _NAME:
            parts.append(self.token)
            self.advance()
            if self.kind == _SYMBOL and self.token in "./-":
                parts.append(self.token)
                self.advance()
        if len(parts) == 1 or not self.take("]"):
            self.fail(f"expected `]` after the name of an extension, found {self.found()}")
        return "".join([*parts, "]"]), at

    def scalar(self, name: str) -> Scalar:
        kind, token = self.kind, self.token
        if kind == _STRING:
            return self.string()
        if kind == _NAME:
            self.advance()
            return Scalar("identifier", token, token)
        if kind == _NUMBER:
            value = self.number()
            self.advance()
            return Scalar("number", token, value)
        if kind == _SYMBOL and token == "-":
            self.advance()
            return self.negative()
        self.fail(f"expected a value for `{name}`, found {self.found()}")

    def negative(self) -> Scalar:
        token = self.token
        if self.kind == _NUMBER:
            value = self.number()
        elif self.kind == _NAME and token.lower() in _WORDS:
            value = _WORDS[token.lower()]
        else:
            self.fail(f"expected a number after `-`, found {self.found()}")
        self.advance()
        return Scalar("number", "-" + token, -value)

    def number(self) -> int | float:
        token, start, end = self.token, self.start, self.end
        after = self.text[end : end + 1]
        if len(token) > MAX_DIGITS:
            self.fail(f"a number of {len(token):,} characters")
        if after == "." or after.isalnum() or after == "_":
            self.fail("expected a space between this number and what follows", at=(start, end + 1))
        if token[:2] in ("0x", "0X"):
            return int(token, 16)
        if token[0] == "0" and token[1:2].isdigit():
            if token.strip("01234567"):
                self.fail("a number that starts with 0 is octal")
            return int(token, 8)
        if token.isdigit():
            return int(token)
        return float(token.rstrip("fF"))

    def string(self) -> Scalar:
        """Return the string at the current token and all that stand right after it, joined."""
        pieces = [self.token]
        raw = self.raw
        self.advance()
        while self.kind == _STRING:
            pieces.append(self.token)
            raw = True
            self.advance()
        value = "".join(pieces)
        if raw:  # bytes given as escapes may make a character together
            value = _bytes(value).decode("utf-8", "surrogateescape")
        return Scalar("string", value, value)

    def take(self, symbol: str) -> bool:
        if self.kind != _SYMBOL or self.token != symbol:
            return False
        self.advance()
        return True

    def advance(self) -> None:
        """Move to the next token."""
        self.last = at = self.end
        while True:
            match = _TOKEN.match(self.text, at)
            if match is None:
                self.stray(at)
            self.kind = match.lastindex or _END
            if self.kind != _COMMENT:
                break
            at = match.end()
            self.comments.append(match.span(_COMMENT))
        self.start, self.end = match.span(self.kind) if self.kind else (match.end(), match.end())
        self.token = self.text[self.start : self.end]
        if self.kind == _STRING:
            self.quoted()

    def quoted(self) -> None:
        """Read the string that opens at the current token."""
        text, start = self.text, self.start
        stop = _STOPS[self.token]
        pieces: list[str] = []
        at = start + 1
        self.raw = False
        while True:
            match = stop.search(text, at)
            found = match.group() if match else ""
            if match is None or found in "\n\0":
                end = match.start() if match else len(text)
                self.fail("this string has no end on its line", at=(start, end))
            pieces.append(text[at : match.start()])
            at = match.end()
            if found != "\\":
                break
            escape = _ESCAPE.match(text, at - 1)
            if escape is None:
                self.fail("not an escape of protobuf", at=(at - 1, at + 1))
            pieces.append(_unescape(escape))
            self.raw = True
            at = escape.end()
        self.token, self.end = "".join(pieces), at

    def found(self) -> str:
        if self.kind == _END:
            return "the end of the text"
        return f"`{show(self.text[self.start : self.end])}`"

    def stray(self, at: int) -> NoReturn:
        match = _SPACE.match(self.text, at)
        at = match.end() if match else at
        self.templated(at, self.text[at : at + 1])
        self.fail(f"unexpected character `{show(self.text[at])}`", at=(at, at + 1))

    def templated(self, at: int, word: str) -> None:
        """Refuse a place that a script fills in, as `${NAME}`, `{name}`, `%s` or `@NAME@`."""
        for start in (max(0, at - 1), at):  # the brace may stand before
            match = _PLACE.match(self.text, start)
            if match and at < match.end() and word in match.group():
                problem = f"`{show(match.group())}` is for a script to fill in: this is a template"
                self.fail(problem, at=match.span())

    def fail(
        self,
        problem: str,
        related: list[tuple[Span, str]] | None = None,
        at: tuple[int, int] | None = None,
    ) -> NoReturn:
        start, end = at or (self.start, self.end)
        Report().fatal(
            codes.PrototxtSyntax, self.source.span(start, end), related or (), problem=problem
        )

    def report(self, code: type[Code], start: int, end: int, **facts: Any) -> NoReturn:
        Report().fatal(code, self.source.span(start, end), **facts)


def _unescape(escape: re.Match[str]) -> str:
    letter, octal, digits, high, low, short, long = escape.groups()
    if letter:
        return _LETTERS.get(letter, letter)
    if octal or digits:
        code = int(octal, 8) & 0xFF if octal else int(digits, 16)
        return chr(code) if code < 128 else chr(0xDC00 + code)  # as surrogateescape has it
    if high:
        return (bytes.fromhex(high) + bytes.fromhex(low)).decode("utf-16-be")
    character = chr(int(short or long, 16))
    return character.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    """Return the bytes a string stands for."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # the source held surrogates that stand for no byte
        return text.encode("utf-8", "surrogatepass")
