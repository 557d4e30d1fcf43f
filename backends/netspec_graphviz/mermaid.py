"""Mermaid text of a net, as Markdown pages draw it."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from . import style
from .picture import picture, tree

if TYPE_CHECKING:
    from netspec.net import Net

    from .picture import Picture

PLAIN = frozenset(string.ascii_letters + string.digits + " _.,:/()+-=×·⌈⌉⌊⌋")
EDGES = 500  # drawn by default: https://mermaid.js.org/config/schema-docs/config.html
BRACKETS = {
    "input": ("([", "])"),
    "output": ("([", "])"),
    "layer": ("[", "]"),
    "block": ("[[", "]]"),
}


def mermaid(net: Net, depth: int | None = None, direction: str = "TB") -> str:
    """Return the net as a Mermaid flowchart; depth and direction are those of DOT."""
    return write(picture(net, depth), direction)


def write(shown: Picture, direction: str = "TB") -> str:
    """Return a picture as a Mermaid flowchart."""
    lines = [f"flowchart {'LR' if direction == 'LR' else 'TB'}"]
    members: dict[str, list[str]] = {}
    clusters = 0
    for level, kind, what in tree(shown.boxes):
        pad = "  " * level
        if kind == "open":
            lines.append(f"{pad}subgraph c{clusters}[{quoted(str(what))}]")
            clusters += 1
        elif kind == "close":
            lines.append(f"{pad}end")
        elif isinstance(what, int):
            box = shown.boxes[what]
            before, after = BRACKETS[box.kind]
            lines.append(f"{pad}n{what}{before}{quoted(' · '.join(box.lines))}{after}")
            members.setdefault(style.family(box), []).append(f"n{what}")
    for wire in shown.wires:
        label = f"|{quoted(wire.label)}|" if wire.label else ""
        lines.append(f"  n{wire.source} -->{label} n{wire.target}")
    for family, (fill, line) in style.FAMILIES.items():
        if family in members:
            lines.append(f"  classDef {family} fill:{fill},stroke:{line},color:#000")
            lines.append(f"  class {','.join(members[family])} {family}")
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """Return text as a quoted Mermaid label; what its grammar or HTML might read is a code."""
    shown = "".join(letter if letter in PLAIN else f"#{ord(letter)};" for letter in text)
    return '"' + shown.replace("#34;", "#quot;") + '"'
