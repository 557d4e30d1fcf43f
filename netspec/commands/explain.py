"""netspec explain: a code, a layer type, or one field of it.

Without a topic it lists the layer types by family, and every code.

examples:
  netspec explain E401
  netspec explain Convolution
  netspec explain Pooling round_mode
  netspec explain --matrix
"""

from __future__ import annotations

import sys

from ..diagnostics import nearest, printable, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator
    from typing import Any

    from ..diagnostics import Code
    from ..layer import Layer, Param

LIMITS = {
    "minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than", "minItems": "items at least", "maxItems": "items at most",
}  # fmt: skip
KINDS = {
    "int": "whole number", "float": "number", "bool": "true or false", "str": "text",
    "PerAxis": "whole number, or one for each axis", "Ints": "whole numbers", "Floats": "numbers",
    "Bools": "true or false, once or more", "Filler": "filler", "Fillers": "fillers",
    "Shape": "shape", "Shapes": "shapes", "Strings": "texts", "Map": "mapping",
}  # fmt: skip
EXAMPLES: dict[str, Any] = {
    "int": 1, "float": 0.5, "bool": True, "str": "name", "PerAxis": 3, "Ints": 1, "Floats": 0.5,
    "Bools": True, "Filler": {"type": "xavier"}, "Fillers": {"type": "xavier"},
    "Shape": {"dim": [1, 3]}, "Shapes": {"dim": [1, 3]}, "Strings": "name", "Map": {},
}  # fmt: skip


def arguments(parser: ArgumentParser) -> None:
    """Declare the options of `netspec explain`."""
    parser.add_argument("topic", nargs="?", help="a code or a layer type")
    parser.add_argument("field", nargs="?", help="a field of the layer type")
    parser.add_argument(
        "--matrix",
        action="store_true",
        help="print which backend builds which layer type, as Markdown",
    )


def run(options: Namespace) -> int:
    """Print what is known about the topic; return 2 where there is no such topic."""
    topic = options.topic
    if options.matrix:
        sys.stdout.write(matrix())
        return 0
    if topic is None:
        sys.stdout.write(contents())
        return 0
    known = codes()
    if topic.upper() in known:
        sys.stdout.write(explain_code(known[topic.upper()]))
        return 0
    cls = layer_type(topic)
    if cls is None:
        names = [*known, *(cls.__name__ for cls in _types())]
        near = nearest(topic, names)
        hint = f"did you mean `{near}`?" if near else "`netspec explain` lists what is known"
        sys.stderr.write(f"netspec explain: nothing is called `{printable(topic)[:80]}`: {hint}\n")
        return 2
    if options.field is None:
        sys.stdout.write(explain_type(cls))
        return 0
    fields = {field: param for each in cls.messages.values() for field, param in each.items()}
    if options.field not in fields:
        near = nearest(options.field, fields)
        hint = f"did you mean `{near}`?" if near else f"it has: {', '.join(fields) or 'none'}"
        asked = printable(options.field)[:80]
        sys.stderr.write(f"netspec explain: {cls.__name__} has no field `{asked}`: {hint}\n")
        return 2
    sys.stdout.write(explain_field(cls, fields[options.field]))
    return 0


def codes() -> dict[str, type[Code]]:
    """Return every code by its id, in order."""
    from .. import codes as module
    from ..diagnostics import Code

    found = {
        value.id: value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Code) and value.id
    }
    return dict(sorted(found.items(), key=lambda item: (item[0][1:], item[0])))


def layer_type(name: str) -> type[Layer] | None:
    """Return the layer type of a name, whatever its case."""
    from ..plugins import fold, layer_types
    from ..schema import layer_classes

    module = layer_types.find(name)
    found = layer_classes(module) if module else ()
    return next((cls for cls in found if fold(cls.__name__) == fold(name)), None)


def _types() -> list[type[Layer]]:
    from ..schema import found_types

    return sorted(found_types(), key=lambda cls: cls.__name__)


def contents() -> str:
    """Return the layer types by family, and the codes."""
    families: dict[str, list[str]] = {}
    for cls in _types():
        families.setdefault(cls.family, []).append(cls.__name__)
    lines = ["layer types", ""]
    for family in sorted(families):
        lines += _wrapped(f"  {family:<16}", ", ".join(families[family]))
    lines += ["", "codes", ""]
    lines += [f"  {code}  {_first(cls.__doc__)}" for code, cls in codes().items()]
    return "\n".join(lines) + "\n"


def matrix() -> str:
    """Return the table of layer types: where each is from, its axes, and who builds it."""
    from ..api import torch_backend

    support = torch_backend().support
    types = _types()
    caffe = [cls for cls in types if "BVLC/caffe" in (cls.__doc__ or "")]
    lines = [
        "# Layer types by backend",
        "",
        f"{len(types)} layer types: the {len(caffe)} of BVLC Caffe and {len(types) - len(caffe)} "
        "others. Written by `netspec explain --matrix`.",
        "`check`, the drawings and the memory and cost tables know every type. What the torch",
        "backend does not build, it refuses with the reason given here (`..` stands for a value).",
        "",
    ]
    for family in sorted({cls.family for cls in types}):
        rows = [("type", "of", "spatial axes", "torch")]
        for cls in types:
            if cls.family == family:
                built, reasons = support(cls.__name__)
                text = "yes, but not: " if built and reasons else "yes" if built else "no: "
                text += "; ".join(reasons)
                text = "its tops are inputs" if cls.source else text
                rows.append((cls.__name__, "Caffe" if cls in caffe else "others", _axes(cls), text))
        lines += [f"## {family}", "", "| " + " | ".join(rows[0]) + " |", "|---|---|---|---|"]
        lines += ["| " + " | ".join(row) + " |" for row in rows[1:]]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _axes(cls: type[Layer]) -> str:
    doc = cls.__doc__ or ""
    if "N x C, to" in doc:
        return "0, 1, 2"
    if "D1..Dr" in doc:
        return "1, 2, 3" if cls.family in ("convolution", "pooling", "shape") else "any"
    return "2" if "H x W" in doc else "any" if cls.family in ("activation", "structure") else "-"


def explain_code(code: type[Code]) -> str:
    """Return what a code means, its message, and its hint."""
    from inspect import cleandoc

    kind = "error" if code.id.startswith("E") else "warning"
    lines = [f"{code.id}, {kind}: {code.__name__}", "", cleandoc(code.__doc__ or ""), ""]
    lines.append(f"message  {code.message}")
    if code.hint:
        lines.append(f"hint     {code.hint}")
    return "\n".join(lines) + "\n"


def explain_type(cls: type[Layer]) -> str:
    """Return a layer type's doc, its fields, and an entry of a spec that uses it."""
    from inspect import cleandoc

    lines = [cls.__name__, "", cleandoc(cls.__doc__ or ""), ""]
    lines.append(f"bottoms  {_count(cls.bottoms)}")
    lines.append(f"tops     {_count(cls.tops)}")
    for message, fields in cls.messages.items():
        rows = [(field, _kind(param), _default(param), _limits(param), param.doc)
                for field, param in fields.items()]  # fmt: skip
        heads = ("field", "kind", "default", "limits", "")
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        lines += ["", f"{message}:"]
        for row in (heads, *rows):
            padded = (f"{item:<{width}}" for item, width in zip(row, widths, strict=True))
            lines.append("  " + "  ".join(padded).rstrip())
    lines += ["", "example:", f"  - {example(cls)}"]
    return "\n".join(lines) + "\n"


def explain_field(cls: type[Layer], param: Param) -> str:
    """Return everything about one field of a layer type."""
    rows = [("kind", _kind(param)), ("default", _default(param)), ("limits", _limits(param)),
            ("in", f"{param.message or cls.message} of {cls.__name__}")]  # fmt: skip
    lines = [f"{param.field}: {param.doc}" if param.doc else param.field, ""]
    lines += [f"{head:<8}  {text}" for head, text in rows if text]
    return "\n".join(lines) + "\n"


def example(cls: type[Layer]) -> str:
    """Return an entry of this type with the fields it must have, in flow style."""
    entry: dict[str, Any] = {"name": cls.__name__.lower(), "type": cls.__name__}
    least = cls.bottoms[0] if isinstance(cls.bottoms, tuple) else cls.bottoms
    if least > 1:
        entry["bottom"] = ["abcdefgh"[index] for index in range(least)]
    for message, fields in cls.messages.items():
        usual = {"kernel_size", "num_output"} & fields.keys()
        given = {
            field: _value(param) for field, param in fields.items()
            if param.required or field in usual
        }  # fmt: skip
        if given:
            entry[message] = given
    return _flow(entry)


def _value(param: Param) -> Any:
    limits = param.limits
    if "choices" in limits:
        return limits["choices"][0]
    value = EXAMPLES.get(param.kind, 1)
    low = limits.get("minimum")
    return max(value, low) if low is not None and isinstance(value, int | float) else value


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return show(value)


def _kind(param: Param) -> str:
    choices = param.limits.get("choices")
    return " or ".join(map(show, choices)) if choices else KINDS.get(param.kind, param.kind)


def _default(param: Param) -> str:
    if param.required:
        return "must be given"
    return "" if param.default is None else show(param.default)


def _limits(param: Param) -> str:
    return ", ".join(
        f"{LIMITS.get(key, key)} {show(value)}" for key, value in param.limits.items()
        if key != "choices"
    )  # fmt: skip


def _count(limits: Any) -> str:
    least, most = limits if isinstance(limits, tuple) else (limits, limits)
    if least == most:
        return str(least)
    return f"at least {least}" if most is None else f"{least} to {most}"


def _first(doc: str | None) -> str:
    return (doc or "").strip().partition("\n")[0]


def _wrapped(head: str, text: str) -> Iterator[str]:
    from textwrap import wrap

    yield from wrap(text, 96, initial_indent=head, subsequent_indent=" " * len(head))
