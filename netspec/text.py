"""Source and Span: a text, and places in it."""

from __future__ import annotations

from bisect import bisect_right


class Source:
    """A text with a name; offsets count code points."""

    __slots__ = ("_starts", "name", "text")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self._starts: list[int] | None = None

    @property
    def starts(self) -> list[int]:
        """Return the offset of the first character of every line."""
        if self._starts is None:
            starts, at, text = [0], 0, self.text
            while (at := text.find("\n", at) + 1) > 0:
                starts.append(at)
            self._starts = starts
        return self._starts

    def position(self, offset: int) -> tuple[int, int]:
        """Return (line, column) of `offset`, both from 0, the column in code points."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self.starts, offset) - 1
        return line, offset - self.starts[line]

    def line(self, number: int) -> str:
        """Return the text of line `number` (from 0) without its line break."""
        starts = self.starts
        end = starts[number + 1] if number + 1 < len(starts) else len(self.text)
        return self.text[starts[number] : end].rstrip("\r\n")

    def span(self, start: int = 0, end: int | None = None) -> Span:
        """Return the span from `start` to `end` (one character where absent)."""
        return Span(self, start, start + 1 if end is None else end)


class Span:
    """A stretch of a source: `start` inclusive, `end` exclusive, in code points."""

    __slots__ = ("end", "source", "start")

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self.start = start
        self.end = max(start, end)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Span):
            return NotImplemented
        return (self.source, self.start, self.end) == (other.source, other.start, other.end)

    def __hash__(self) -> int:
        return hash((id(self.source), self.start, self.end))

    def __repr__(self) -> str:
        return f"Span({self})"

    def __str__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line + 1}:{column + 1}"

    @property
    def text(self) -> str:
        """Return the characters the span covers."""
        return self.source.text[self.start : self.end]

    def as_lsp(self) -> dict[str, dict[str, int]]:
        """Return the range as the Language Server Protocol has it: lines from 0, UTF-16 units."""
        return {"start": self._lsp(self.start), "end": self._lsp(self.end)}

    def _lsp(self, offset: int) -> dict[str, int]:
        line, column = self.source.position(offset)
        before = self.source.line(line)[:column]
        return {"line": line, "character": len(before.encode("utf-16-le", "surrogatepass")) // 2}
