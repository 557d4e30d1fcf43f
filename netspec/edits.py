"""Edits: changes of a spec that leave the rest of its text, and its comments, as they are."""

from __future__ import annotations

import copy
import re

from .diagnostics import Report, SpecError
from .document import parse, read_text
from .importers import yaml_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .document import Document

    Path = tuple[str | int, ...]


class Edits:
    """Changes of a document: of its value, and of its text where that can be done in place."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.text = document.source.text
        self.value: dict[str, Any] = dict(document.value)
        self.changes: set[tuple[int, int, str]] = set()

    def parent(self, path: Path) -> Any:
        """Return the container of a path, copied, so that no alias of it changes."""
        inside: Any = self.value
        for step in path[:-1]:
            inside[step] = copy.copy(inside[step])
            inside = inside[step]
        return inside

    def set(self, path: Path, item: Any) -> None:
        """Give a key or an item another value."""
        self.parent(path)[path[-1]] = item
        span = self.document.span(*path)
        self.changes.add((span.start, span.end, yaml_text.flow(item)))

    def rename(self, path: Path, key: str) -> None:
        """Give a key another name, at its place."""
        inside = self.parent(path)
        items = [(key if name == path[-1] else name, item) for name, item in inside.items()]
        inside.clear()
        inside.update(items)
        span = self.document.key_span(*path)
        self.changes.add((span.start, span.end, key))

    def insert(self, path: Path, key: str, item: Any) -> None:
        """Put a key after the one at `path`."""
        inside = self.parent(path)
        items = dict(inside)
        inside.clear()
        for name, value in items.items():
            inside[name] = value
            if name == path[-1]:
                inside[key] = item
        said = f"{key}: {yaml_text.flow(item)}"
        end = self.document.span(*path).end
        if self.flows(path):
            self.changes.add((end, end, f", {said}"))
            return
        line = self.line_end(end)
        start = self.document.key_span(*path).start
        indent = " " * (start - self.line_start(start))
        self.changes.add((line, line, f"\n{indent}{said}"))

    def remove(self, path: Path) -> None:
        """Take a key out of a mapping, or an item out of a list."""
        inside = self.parent(path)
        del inside[path[-1]]
        start = self.document.key_span(*path).start
        end = self.document.span(*path).end
        if self.flows(path):
            before = self.text[:start].rstrip()
            if before.endswith(","):
                start = len(before) - 1
            elif (after := re.compile(r"\s*,\s*").match(self.text, end)) is not None:
                end = after.end()
        else:
            start = self.line_start(start)
            end = self.line_end(end) + 1
        self.changes.add((start, end, ""))

    def flows(self, path: Path) -> bool:
        """Return whether the container of a path is written in brackets."""
        return self.document.span(*path[:-1]).text[:1] in ("{", "[")

    def line_start(self, at: int) -> int:
        """Return where the line of a place starts."""
        return self.text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        """Return where the line of a place ends."""
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end

    def written(self) -> tuple[str, bool]:
        """Return the changed spec as YAML, and whether it is the old text with its comments."""
        text, last = self.text, len(self.text) + 1
        for start, end, put in sorted(self.changes, reverse=True):
            if end > last:
                break  # two changes of one place: the values will differ
            text, last = text[:start] + put + text[end:], start
        return self.checked(text)

    def checked(self, text: str) -> tuple[str, bool]:
        """Return a text where it says what it should; else the value, written anew."""
        report = Report()
        try:
            if parse(read_text("spec", text, report), report).value == self.value:
                return text, True
        except SpecError:
            pass
        return yaml_text.text(self.value), False
