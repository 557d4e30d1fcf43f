"""Places: where every value of a YAML text stands, found by reading the text once more."""

from __future__ import annotations

import re
from array import array

import yaml
from yaml import events

from .text import Source, Span

try:
    from yaml._yaml import CParser
except ImportError:  # PyYAML without libyaml: the same events, about ten times slower
    from yaml import SafeLoader as CParser  # type: ignore[assignment]

Parser = CParser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_ANCHOR = r"&[^\s,\[\]{}]*(?:\s+(?:#[^\r\n]*\s+)*)?"
_SINGLE_UNIT = r"''|."
_DOUBLE_UNIT = r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[^xuU])|[^\\]"


class Places:
    """Where every node of a text stands: flat arrays in the order of the nodes."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.starts = array("I")
        self.ends = array("I")
        self.after = array("I")  # the node after a node and all that is in it
        self.kinds = bytearray()  # the sign of its style; a space: plain
        self.said: dict[int, str] = {}  # scalars whose value is not their text
        self.aliases: dict[int, int] = {}
        self.entries: dict[int, dict[Any, tuple[int, int]]] = {}
        open_: list[int] = []
        try:
            self.read(open_)
        except (yaml.YAMLError, ValueError, OverflowError):
            for node in open_:  # only what stands before the fault is asked for
                self.after[node] = len(self.starts)
                self.ends[node] = len(source.text)

    def read(self, open_: list[int]) -> None:
        """Note every node of the text; `open_` holds the containers that have not ended."""
        text = self.source.text
        get = Parser(text).get_event
        anchors: dict[str, int] = {}
        last = 0  # where the last node ended; block containers end there
        while True:
            event: Any = get()
            kind = event.__class__
            node = len(self.starts)
            if kind is events.MappingEndEvent or kind is events.SequenceEndEvent:
                node = open_.pop()
                if event.end_mark.index > event.start_mark.index:
                    last = event.end_mark.index
                self.ends[node] = last
                self.after[node] = len(self.starts)
                continue
            if kind is events.DocumentEndEvent or kind is events.StreamEndEvent:
                return
            if kind is events.StreamStartEvent or kind is events.DocumentStartEvent:
                continue
            start, end = extent(text, event)
            self.starts.append(start)
            self.ends.append(end)
            self.after.append(node + 1)
            if kind is events.AliasEvent:
                self.kinds.append(ord("*"))
                self.aliases[node] = anchors.get(event.anchor, node)
                last = end
                continue
            if event.anchor is not None:
                anchors[event.anchor] = node
            if kind is events.ScalarEvent:
                self.kinds.append(ord(event.style or " "))
                last = end
                if event.value != text[start:end]:
                    self.said[node] = event.value
            else:
                self.kinds.append(ord("{" if kind is events.MappingStartEvent else "["))
                open_.append(node)

    def find(self, path: Sequence[Any]) -> tuple[int, int]:
        """Return the nodes of the key and the value at `path`, or of its nearest ancestor."""
        key = node = 0
        for item in path:
            if (found := self.entry(node, item)) is None:
                break
            key, node = found
        return key, node

    def entry(self, node: int, item: Any) -> tuple[int, int] | None:
        """Return key and value of one entry of a container, merged ones last."""
        left, seen = [node], set()
        while left:
            node = left.pop()
            node = self.aliases.get(node, node)
            entries = self.children(node)
            if item in entries:
                return entries[item]
            if self.kinds[node] == ord("{") and "<<" in entries and node not in seen:
                seen.add(node)
                source = entries["<<"][1]
                source = self.aliases.get(source, source)
                listed = self.kinds[source] == ord("[")
                inside = [value for _, value in self.children(source).values()]
                left += reversed(inside) if listed else [source]
        return None

    def children(self, node: int) -> dict[Any, tuple[int, int]]:
        """Return the nodes of key and value of each entry of a container, by key or index."""
        if node in self.entries:
            return self.entries[node]
        found: dict[Any, tuple[int, int]] = {}
        end = self.after[node]
        at = node + 1
        if self.kinds[node] == ord("["):
            while at < end:
                found[len(found)] = (at, at)
                at = self.after[at]
        else:
            while at < end and (value := self.after[at]) < end:
                found.setdefault(self.name(at), (at, value))
                at = self.after[value]
        self.entries[node] = found
        return found

    def name(self, node: int) -> str:
        """Return the text a key says."""
        node = self.aliases.get(node, node)
        if node in self.said:
            return self.said[node]
        return self.source.text[self.starts[node] : self.ends[node]]

    def span(self, node: int) -> Span:
        """Return where a node stands."""
        if node >= len(self.starts):
            return self.source.span(0, 0)
        return self.source.span(self.starts[node], self.ends[node])

    def part(self, node: int, start: int, end: int) -> Span:
        """Return the span of a part of a scalar; of all of it where the part has no one place."""
        node = self.aliases.get(node, node)
        whole = self.span(node)
        text = whole.text
        sign = chr(self.kinds[node])
        if sign == " " and node not in self.said:
            units: Sequence[int] = range(len(text) + 1)
        elif sign in "'\"" and "\n" not in text and "\r" not in text:
            unit = re.compile(_SINGLE_UNIT if sign == "'" else _DOUBLE_UNIT)
            units = [found.start() for found in unit.finditer(text, 1, len(text) - 1)]
            units.append(len(text) - 1)
        else:
            return whole
        if not 0 <= start <= end < len(units):
            return whole
        return self.source.span(whole.start + units[start], whole.start + units[end])


def extent(text: str, event: Any) -> tuple[int, int]:
    """Return where the node of `event` starts and ends, without its anchor."""
    start, end = event.start_mark.index, event.end_mark.index
    if text.startswith("&", start) and (found := re.compile(_ANCHOR).match(text, start)):
        start = min(found.end(), end)
    if getattr(event, "style", None) in ("|", ">"):
        end = start + len(text[start:end].rstrip())
    return start, end
