"""Code, Diagnostic, Report and SpecError: what is said about a spec, and how it is shown."""

from __future__ import annotations

from .text import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, NoReturn

    Related = Sequence[tuple[Span, str]]

LIMIT = 100  # diagnostics shown in one run
CROP = 2_000  # characters of one message
NEAR = 1_000  # names that a misspelt one is compared with
TRAIL = 4  # uses of blocks named beside one diagnostic


class Code:
    """One kind of diagnostic; subclasses live in codes.py, and their docstrings explain them."""

    id: str = ""
    message: str = ""
    hint: str = ""


class Diagnostic:
    """One finding: a code, the facts that fill its message, and the places it is about."""

    __slots__ = ("code", "facts", "related", "span")

    def __init__(
        self, code: type[Code], span: Span | None, related: Related, facts: dict[str, Any]
    ) -> None:
        self.code = code
        self.span = span
        self.related = tuple(related)
        self.facts = facts

    def __str__(self) -> str:
        where = f"{printable(str(self.span))}: " if self.span else ""
        return f"{where}{self.severity}[{self.code.id}]: {self.message}"

    @property
    def severity(self) -> str:
        """Return `error` or `warning`, from the first letter of the code."""
        return "error" if self.code.id.startswith("E") else "warning"

    @property
    def message(self) -> str:
        """Return what is, on one line."""
        return crop(_fill(self.code.message, self.facts), CROP)

    @property
    def hint(self) -> str:
        """Return what to do about it; empty where nothing is known."""
        given = self.facts.get("hint")
        return crop(printable(str(given)) if given else _fill(self.code.hint, self.facts), CROP)

    def as_json(self) -> dict[str, Any]:
        """Return the diagnostic in the form of `netspec check --format json`."""
        return {
            "code": self.code.id,
            "severity": self.severity,
            "message": self.message,
            "file": self.span.source.name if self.span else None,
            "range": self.span.as_lsp() if self.span else None,
            "hint": self.hint or None,
            "related": [
                {"message": printable(label), "file": span.source.name, "range": span.as_lsp()}
                for span, label in self.related
            ],
        }

    def render(self) -> str:
        """Return the diagnostic as text with the lines it is about."""
        lines = [f"{self.severity}[{self.code.id}]: {self.message}"]
        if self.span:
            lines += _excerpt(self.span, "^")
        for span, label in self.related:
            lines += _excerpt(span, "-", label)
        if self.hint:
            lines.append(f"  = help: {self.hint}")
        return "\n".join(lines)


class SpecError(Exception):
    """A spec is wrong; `diagnostics` says how."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(render(self.diagnostics))


class Report:
    """The diagnostics of one run, in the order they were found; one per place and fault."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.failed = False
        self.trail: list[tuple[Any, str]] = []  # uses of blocks we are inside of, outermost first
        self._seen: set[object] = set()

    def add(self, code: type[Code], span: Span | None, related: Related = (), **facts: Any) -> None:
        """Note one finding; a second one of the same code at the same place is dropped."""
        uses = [(place.span("name"), label) for place, label in reversed(self.trail[-TRAIL:])]
        elsewhere = [use for use in uses if span is None or not _one_line(span, use[0])]
        found = Diagnostic(code, span, (*related, *elsewhere), facts)
        self.failed = self.failed or found.severity == "error"
        where = (span.source.name, span.start, span.end) if span else None
        key = (code.id, where, None if span else found.message)
        if key not in self._seen:
            self._seen.add(key)
            self.diagnostics.append(found)

    def fatal(
        self, code: type[Code], span: Span | None, related: Related = (), **facts: Any
    ) -> NoReturn:
        """Note one finding that ends the stage, and raise everything noted so far."""
        self.add(code, span, related, **facts)
        raise SpecError(self.ordered())

    def close(self) -> None:
        """Raise what was noted if any of it is an error."""
        if self.failed:
            raise SpecError(self.ordered())

    def ordered(self) -> list[Diagnostic]:
        """Return the diagnostics by file and place."""

        def place(found: Diagnostic) -> tuple[str, int]:
            return (found.span.source.name, found.span.start) if found.span else ("", -1)

        return sorted(self.diagnostics, key=place)


def render(diagnostics: Sequence[Diagnostic]) -> str:
    """Return the diagnostics as text, at most LIMIT of them."""
    shown = [found.render() for found in diagnostics[:LIMIT]]
    if len(diagnostics) > LIMIT:
        shown.append(f"... and {len(diagnostics) - LIMIT:,} more")
    return "\n\n".join(shown)


def _one_line(span: Span, other: Span) -> bool:
    at = span.source.position
    return span.source is other.source and at(span.start)[0] == at(other.start)[0]


def printable(text: str) -> str:
    """Return `text` with every character a terminal might act on escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def crop(text: str, limit: int = 80) -> str:
    """Return at most `limit` characters of `text`."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def show(value: object) -> str:
    """Return a value of a spec as it is quoted in a message: short, on one line, safe to print."""
    if value is None:
        return "~"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        if len(value) > 8:
            return f"a list of {len(value)}"
        inner = ("a list" if isinstance(item, list) else show(item) for item in value)
        return crop("[" + ", ".join(inner) + "]")
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    return crop(printable(str(value)))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word a misspelt one is nearest to; empty where none is near."""
    from difflib import get_close_matches

    known = list(known)
    if len(known) > NEAR:
        close = (name for name in known if name[:1] == word[:1] and -4 < len(name) - len(word) < 4)
        known = [name for name, _ in zip(close, range(NEAR), strict=False)]
    folded = {name.lower().replace("_", ""): name for name in known}
    if (plain := word.lower().replace("_", "")) in folded:
        return folded[plain]
    found = get_close_matches(word[:64], known, n=1, cutoff=0.6)
    return found[0] if found else ""


def _fill(template: str, facts: dict[str, Any]) -> str:
    class Shown(dict):  # type: ignore[type-arg]
        def __missing__(self, key: str) -> str:
            return "?"

    # text we wrote ourselves, such as a reason, may be longer than a value that is quoted
    shown = {
        key: crop(printable(value), 400) if isinstance(value, str) else show(value)
        for key, value in facts.items()
    }
    return template.format_map(Shown(shown))


def _excerpt(span: Span, mark: str, label: str = "") -> list[str]:
    source = span.source
    line, column = source.position(span.start)
    last, end = source.position(span.end)
    text = source.line(line)
    width = max(1, (end if last == line else len(text)) - column)
    start = max(0, column - 80) if column > 120 else 0  # keep long lines in view
    number = str(line + 1)
    gutter = " " * max(3, len(number))
    shown = crop(printable(text[start : start + 201].replace("\t", " ")), 200)
    pad = len(printable(text[start:column].replace("\t", " ")))
    carets = mark * max(1, min(width, 200 - pad))
    note = f" {crop(printable(label), 200)}" if label else ""
    return [
        f"{gutter[:-1]}--> {printable(str(span))}",
        f"{number:>{len(gutter)}} | {shown}",
        f"{gutter} | {' ' * pad}{carets}{note}",
    ]
