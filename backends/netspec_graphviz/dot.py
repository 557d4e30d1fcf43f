"""DOT text of a net. Text of a spec is only ever inside an escaped label, never an id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import style
from .picture import Box, picture, tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netspec.net import Net

    from .picture import Picture


def dot(net: Net, depth: int | None = None, direction: str = "TB") -> str:
    """Return the net as DOT text; blocks below `depth` levels are one node each.

    Without a depth, as much is folded as one page needs. The direction is TB or LR.
    """
    return write(picture(net, depth), direction)


def write(shown: Picture, direction: str = "TB") -> str:
    """Return a picture as DOT text."""
    graph = style.GRAPH | {"rankdir": "LR" if direction == "LR" else "TB"}
    lines = [
        "digraph net {",
        f"  graph [{_attributes(graph | {'label': quoted(shown.caption)})}];",
        f"  node [{_attributes(style.NODE)}];",
        f"  edge [{_attributes(style.EDGE)}];",
    ]
    clusters = 0
    for level, kind, what in tree(shown.boxes):
        pad = "  " * level
        if kind == "open":
            fill = style.NESTED[min(level, len(style.NESTED)) - 1]
            frame = style.CLUSTER | {"fillcolor": fill, "label": quoted(str(what))}
            lines.append(f"{pad}subgraph cluster_{clusters} {{")
            lines.append(f"{pad}  graph [{_attributes(frame)}];")
            clusters += 1
        elif kind == "close":
            lines.append(f"{pad}}}")
        elif isinstance(what, int):
            lines.append(f"{pad}n{what} [{_attributes(_node(shown.boxes[what]))}];")
    for wire in shown.wires:
        looks = {"label": quoted(f" {wire.label} ")} if wire.label else {}
        if wire.trunk:
            looks["weight"] = "8"  # kept straight, so that it is the skips that bend
        shape = f" [{_attributes(looks)}]" if looks else ""
        lines.append(f"  n{wire.source} -> n{wire.target}{shape};")
    lines.append("}")
    return "\n".join(lines) + "\n"


def quoted(*lines: str) -> str:
    r"""Return lines of printable text as one quoted DOT string that shows them as they are.

    In a label a backslash starts an escape (`\N`, `\l`), and `&` an entity.
    """
    shown = (line.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for line in lines)
    return '"' + "\\n".join(shown) + '"'


def _node(box: Box) -> dict[str, str]:
    fill, line = style.FAMILIES[style.family(box)]
    looks = {"label": quoted(*box.lines), "shape": style.SHAPES[box.kind]}
    if box.kind == "layer" and style.family(box) == "loss":
        looks["shape"] = "octagon"
        looks["style"] = "filled"
    if box.kind == "output":
        looks["peripheries"] = "2"
    return looks | {"fillcolor": fill, "color": line}


def _attributes(values: Mapping[str, str]) -> str:
    return ", ".join(
        f"{name}={value if value.startswith(chr(34)) else quoted(value)}"
        for name, value in values.items()
    )
