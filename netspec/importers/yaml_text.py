"""Write the value of a spec as YAML that a person would write: one line a layer."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    Raw = dict[str, Any]

WIDTH = 100
KEYS = (
    "netspec", "name", "source", "notes", "vars", "scales", "imports", "state", "force_backward",
    "inputs", "blocks", "layers", "outputs", "expect", "solver",
)  # fmt: skip

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./+-]*(?: [A-Za-z0-9_./+-]+)*", re.ASCII)
_VARIABLE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
# what YAML, of this version or an older one, takes for something else than text
_WORDS = frozenset((
    "true", "false", "null", "yes", "no", "on", "off", "inf", "nan",
))  # fmt: skip


class Comments:
    """Comments for a spec: at its head, above each layer by index, above fields of the solver."""

    __slots__ = ("foot", "head", "layers", "solver")

    def __init__(self) -> None:
        self.head: list[str] = []
        self.layers: dict[int, list[str]] = {}
        self.solver: dict[str, list[str]] = {}
        self.foot: list[str] = []


def text(value: Raw, comments: Comments | None = None) -> str:
    """Return the value of a spec as YAML; `comments` go where they were."""
    comments = comments or Comments()
    lines = [comment_line(each) for each in comments.head]
    for key in sorted(value, key=lambda key: KEYS.index(key) if key in KEYS else len(KEYS)):
        item = value[key]
        if key == "layers":
            lines.append("layers:" if item else "layers: []")
            lines += entries(item, "  ", comments.layers)
        elif key == "blocks":
            lines.append("blocks:")
            for name, block in item.items():
                lines += block_lines(name, block)
        elif key in ("inputs", "scales", "imports") and item:
            lines.append(f"{key}:")
            lines += [f"  {scalar(name)}: {flow(each)}" for name, each in item.items()]
        elif key == "solver":
            lines.append("solver:")
            for name, each in item.items():
                lines += ["  " + comment_line(said) for said in comments.solver.get(name, ())]
                lines.append(f"  {name}: {flow(each)}")
        else:
            lines.append(f"{key}: {flow(item)}")
    lines += [comment_line(each) for each in comments.foot]
    return "\n".join(lines) + "\n"


def block_lines(name: str, block: Raw) -> list[str]:
    """Return the lines of one block."""
    lines = [f"  {scalar(name)}:"]
    for key in ("vars", "inputs", "outputs"):
        if key in block:
            lines.append(f"    {key}: {flow(block[key])}")
    lines.append("    layers:")
    return lines + entries(block["layers"], "      ", {})


def entries(layers: Sequence[Raw], indent: str, comments: Mapping[int, Iterable[str]]) -> list[str]:
    """Return the lines of a list of entries; a long one goes on in a line below."""
    lines: list[str] = []
    for index, entry in enumerate(layers):
        lines += [indent + comment_line(each) for each in comments.get(index, ())]
        items = [f"{scalar(key)}: {flow(item)}" for key, item in entry.items()]
        line, start = f"{indent}- {{", True
        for position, item in enumerate(items):
            last = position == len(items) - 1
            piece = item + ("}" if last else ",")
            if not start and len(line) + 1 + len(piece) > WIDTH:
                lines.append(line.rstrip())
                line, start = f"{indent}   {piece}", False
            else:
                line += piece if start else f" {piece}"
                start = False
        lines.append(line)
    return lines


def flow(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value)


def scalar(value: Any) -> str:
    """Return a value that is no list and no mapping, quoted where YAML would misread it."""
    if value is None:
        return "~"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return number(value)
    said = str(value)
    if _PLAIN.fullmatch(said) and said.lower() not in _WORDS:
        return said
    return said if _VARIABLE.fullmatch(said) else quoted(said)


def number(value: float) -> str:
    """Return a number as short as it can be without being another one."""
    if value != value or value in (float("inf"), float("-inf")):
        return ".nan" if value != value else ".inf" if value > 0 else "-.inf"
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def quoted(value: str) -> str:
    """Return text in double quotes; whatever is not plainly visible is escaped."""
    pieces = []
    for character in value:
        code = ord(character)
        if character in '"\\':
            pieces.append("\\" + character)
        elif 0xD800 <= code <= 0xDFFF:
            pieces.append("\\uFFFD")  # a byte that is no character
        elif character.isprintable() and not 0x200B <= code <= 0x206F:
            pieces.append(character)
        elif code < 0x100:
            pieces.append(f"\\x{code:02x}")
        else:
            pieces.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    return '"' + "".join(pieces) + '"'


def comment_line(said: str) -> str:
    """Return one comment as a line; what may not stand in a spec is left out."""
    kept = "".join(c if c.isprintable() and not 0xD800 <= ord(c) <= 0xDFFF else " " for c in said)
    return f"# {kept}".rstrip()


def same_net(value: Raw, other: Raw) -> bool:
    """Return whether two values of specs are one net: the same layers, wired alike."""
    return all(_graph(value, phase) == _graph(other, phase) for phase in ("TEST", "TRAIN"))


def _graph(value: Raw, phase: str) -> list[Any]:
    from ..diagnostics import Report
    from ..document import parse, read_text
    from ..expand import Choice, expand
    from ..spec import validate

    report = Report()
    text_ = text({key: item for key, item in value.items() if key != "solver"})
    spec = validate(parse(read_text("spec", text_, report), report), report)

    def refuse(file: str, place: Any) -> Any:
        raise ValueError(file)

    graph = expand(spec, Choice(phase), report, refuse)
    numbers: dict[int, int] = {}
    for made in (*graph.inputs.values(), *(top for node in graph.nodes for top in node.tops)):
        numbers[id(made)] = len(numbers)
    return [
        (node.name, node.type, _given(node.layer), [numbers.get(id(v), -1) for v in node.bottoms],
         [v.name for v in node.tops])
        for node in graph.nodes
    ]  # fmt: skip


def _given(layer: Any) -> str:
    return repr(sorted((name, repr(getattr(layer, name))) for name in layer.params
                       if getattr(layer, name) != layer.params[name].default))  # fmt: skip
