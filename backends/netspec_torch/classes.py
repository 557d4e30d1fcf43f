"""BlockClass: parts that lower to the same code, and the values that they differ in."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from functools import cache, lru_cache
from typing import Any

from torch import nn

from netspec.graph import Value
from netspec.spec import holds_variables

from .blocks import Item, Line, Part
from .lowering import literal
from .names import TAKEN, safe

PARAMS = 8  # the most that an __init__ takes; parts that differ in more have classes of their own

_TOKEN = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[()\[\]{},]|[^'"()\[\]{},]+""")
_CALL = re.compile(r"([A-Za-z_][\w.]*)\((.*)\)", re.DOTALL)
_KEYWORD = re.compile(r"([A-Za-z_]\w*)=(?!=)")
# strings, placeholders and names stand before numbers, so that a number in them is none
KINDS = ("ties", "before", "fill", "rate")  # of an item's statements on weights
_NUMBER = re.compile(
    r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\{\w*\}|[A-Za-z_][\w.]*|(\d+(?:\.\d+)?(?:e[-+]?\d+)?)"""
)


class Param:
    """One argument of the __init__ of a class: its value in each part."""

    __slots__ = ("attribute", "default", "name", "values")

    def __init__(self, name: str, values: tuple[str, ...]) -> None:
        self.name = name
        self.values = values
        self.default = ""  # what it is where nothing is said
        self.attribute = ""  # of self, where forward reads it


class BlockClass:
    """A class of modules: the parts that are its instances, and what tells them apart.

    `text` is the first part, with params in place of the values that differ.
    """

    __slots__ = ("inits", "methods", "name", "params", "parts", "text")

    def __init__(self, parts: list[Part], params: list[Param]) -> None:
        self.parts = parts
        self.params = params
        self.name = ""
        self.text = copy(parts[0])
        self.inits: list[Made | str] = []  # how the items of the text are made
        self.methods: dict[str, str] = {}  # that start weights, by kind of statement

    @property
    def block(self) -> str:
        """Return the name of the block in the spec."""
        return self.text.origin.block if self.text.origin is not None else ""

    def free(self, name: str) -> str:
        """Return a name for a method, unlike that of any module or value the class holds."""
        held = {*_heads(self.text), *(param.attribute for param in self.params)}
        while name in held:
            name += "_"
        return name

    def signature(self) -> str:
        """Return what stands in the parentheses of `def __init__`."""
        ordered = sorted(self.params, key=lambda param: bool(param.default))
        said = [f"{p.name}={p.default}" if p.default else p.name for p in ordered]
        return ", ".join(["self", *said])

    def made(self, number: int) -> Made:
        """Return the call that makes one of the parts."""
        args = [param.values[number] for param in self.params if not param.default]
        given = {p.name: p.values[number] for p in self.params if p.default}
        kwargs = {p.name: given[p.name] for p in self.params
                  if p.default and given[p.name] != p.default}  # fmt: skip
        return Made(self, args, kwargs)


class Made:
    """The call that makes a module: of a torch class or support class by name, or a BlockClass."""

    __slots__ = ("args", "kind", "kwargs")

    def __init__(self, kind: str | BlockClass, args: list[str], kwargs: dict[str, str]) -> None:
        self.kind = kind
        self.args = args
        self.kwargs = kwargs

    def __str__(self) -> str:
        name = self.kind.name if isinstance(self.kind, BlockClass) else self.kind
        return f"{name}({', '.join([*self.args, *(f'{k}={v}' for k, v in self.kwargs.items())])})"


@lru_cache(4096)
def split(init: str) -> Made | None:
    """Return the text of a constructor in pieces; None where it is something else."""
    found = _CALL.fullmatch(init)
    if found is None:
        return None
    args, kwargs, depth, text = [], {}, 0, ""
    for token in [*_TOKEN.findall(found[2]), ","]:
        depth += (token in "([{") - (token in ")]}")
        if depth < 0:
            return None
        if depth or token != ",":
            text += token
            continue
        text = text.strip()
        if named := _KEYWORD.match(text):
            kwargs[named[1]] = text[named.end() :]
        elif text:
            args.append(text)
        text = ""
    return Made(found[1], args, kwargs) if not depth else None


class Classes:
    """The classes of a net's parts, in the order to write them in: inner ones first."""

    def __init__(
        self, parts: Sequence[Part], support: Mapping[str, Any], reserved: Iterable[str]
    ) -> None:
        self.support = support
        self.reserved = {*support, *dir(builtins), *reserved}
        self.of: dict[int, tuple[BlockClass, int]] = {}  # by id of a part
        self.all: list[BlockClass] = []
        for height in range(max(part.height for part in parts) + 1):
            groups: dict[Any, list[Part]] = {}
            for part in parts:
                if part.height == height and part.origin is not None:
                    groups.setdefault(self.key(part), []).append(part)
            for group in groups.values():
                for made in self.unified(group):
                    self.all.append(made)
                    self.of.update((id(p), (made, at)) for at, p in enumerate(made.parts))
        self.give_names()
        self.write(parts)

    def init(self, item: Item) -> Made | str:
        """Return how the module of an item is made."""
        if item.part is not None:
            made, number = self.of[id(item.part)]
            return made.made(number)
        return split(item.init) or item.init

    def methods(self, part: Part, kind: str) -> dict[str, str]:
        """Return the methods of one kind that the parts in a part have, by their paths."""
        inner = [item.part for item in part.items if item.part is not None]
        found = {part.path: self.of[id(part)][0].methods.get(kind, "") for part in inner}
        return {path: method for path, method in found.items() if method}

    def key(self, part: Part) -> Any:
        """Return what parts of one class have in common."""
        start = len(part.path) + 1
        numbers: dict[int, int] = {}

        def numbered(values: Sequence[Value]) -> tuple[int, ...]:
            return tuple(numbers.setdefault(id(value), len(numbers)) for value in values)

        def lines(found: list[Line]) -> Any:
            return tuple((_pattern(line.text), *(p[start:] for p in line.paths)) for line in found)

        rows: list[Any] = [part.origin and part.origin.block, numbered(part.inputs)]
        for item in part.items:
            made = self.init(item)
            form: Any = made
            if isinstance(made, Made):
                usual = self.usual(made.kind)
                needed = tuple(name for name in made.kwargs if name not in usual)
                form = (made.kind, len(made.args), needed)
            blobs = (numbered(item.bottoms), numbered(item.tops), tuple(item.flows))
            said = [(kind, lines(found)) for kind in KINDS if (found := getattr(item, kind))]
            paths = (item.made[start:], item.called[start:])
            rows.append((paths, form, _pattern(item.call), blobs, tuple(said)))
        return (*rows, numbered(part.outputs))

    def usual(self, kind: str | BlockClass) -> dict[str, str]:
        """Return the arguments of a constructor that may be left out, with what they are then."""
        if isinstance(kind, BlockClass):
            return {param.name: param.default for param in kind.params if param.default}
        return _signature(self.constructor(kind))[1]

    def names(self, kind: str | BlockClass) -> Sequence[str]:
        """Return the names of the positional arguments of a constructor."""
        if isinstance(kind, BlockClass):
            return [param.name for param in kind.params if not param.default]
        return _signature(self.constructor(kind))[0]

    def constructor(self, kind: str) -> Any:
        """Return the class of a name in the source; None where it is not known."""
        if kind.startswith("nn."):
            return getattr(nn, kind[3:], None)
        return self.support.get(kind)

    def unified(self, group: list[Part]) -> list[BlockClass]:
        """Return the classes of parts of one key: one where they differ in few params."""
        made = self.joined(group)
        if len(made.params) <= PARAMS:
            return [made]
        alike: dict[Any, list[Part]] = {}
        for part in group:
            texts = [(str(self.init(item)), item.call) for item in part.items]
            alike.setdefault(tuple(texts), []).append(part)
        return [self.joined(parts) for parts in alike.values()]

    def joined(self, group: list[Part]) -> BlockClass:
        """Return one class of parts of one key, with a param for each value that differs."""
        columns = _Columns(group, self.reserved)
        made = BlockClass(group, columns.params)
        made.text.items = list(map(copy, made.text.items))
        for at, item in enumerate(made.text.items):
            each = [part.items[at] for part in group]
            made.inits.append(self.written(item, list(map(self.init, each)), columns))
        for at, item in enumerate(made.text.items):
            each = [part.items[at] for part in group]
            item.call = columns.statement(item, "value", [other.call for other in each])
            for kind in KINDS:
                rows = zip(*(getattr(other, kind) for other in each), strict=True)
                lines = [
                    Line(columns.statement(item, kind, [line.text for line in row]), *row[0].paths)
                    for row in rows
                ]
                setattr(item, kind, lines)
        return made

    def written(self, item: Item, each: Sequence[Made | str], columns: _Columns) -> Made | str:
        """Return how all parts of a class make a module."""
        pieces = [made for made in each if isinstance(made, Made)]
        if not pieces:
            return each[0]
        first = pieces[0]
        names = self.names(first.kind)
        args = [
            columns.text(item, names[at] if at < len(names) else "value",
                         tuple(made.args[at] for made in pieces))
            for at in range(len(first.args))
        ]  # fmt: skip
        kwargs = {}
        given = dict.fromkeys(name for made in pieces for name in made.kwargs)
        usual = self.usual(first.kind)
        ordered = list(usual)
        for name in sorted(given, key=lambda n: ordered.index(n) if n in usual else 0):
            default = usual.get(name, "")
            left_out = any(name not in made.kwargs for made in pieces)
            values = tuple(made.kwargs.get(name, default) for made in pieces)
            kwargs[name] = columns.text(item, name, values, default if left_out else "")
        return Made(first.kind, args, kwargs)

    def give_names(self) -> None:
        """Name every class after its block; one with more in it also after the first of that."""
        taken = self.reserved | {param.name for made in self.all for param in made.params}
        blocks: dict[str, list[BlockClass]] = {}
        for made in self.all:
            blocks.setdefault(made.block, []).append(made)
        for block, classes in blocks.items():
            wanted = capital(block.rpartition(".")[2] or block)
            wanted = f"{wanted}Block" if wanted in taken else wanted
            usual = min(classes, key=lambda made: len(made.text.items))
            for made in [usual, *(made for made in classes if made is not usual)]:
                more = [name for name in _names(made.text) if name not in _names(usual.text)]
                name = f"{wanted}With{capital(more[0])}" if more else wanted
                made.name, count = name, 1
                while made.name in taken:
                    count += 1
                    made.name = f"{name}{count}"
                taken.add(made.name)

    def write(self, parts: Sequence[Part]) -> None:
        """Give every call of a part its text, in the classes and in the net."""
        for made in self.all:
            for item, init in zip(made.text.items, made.inits, strict=True):
                item.init = str(init)
        for item in parts[0].items:
            item.init = str(self.init(item))


class _Columns:
    """The values that differ in the parts of a class: each row of them is one param."""

    def __init__(self, group: Sequence[Part], reserved: Iterable[str]) -> None:
        self.group = group
        self.params: list[Param] = []
        self.found: dict[tuple[str, ...], Param] = {}
        self.taken = {"_", *reserved}
        self.held = set(_heads(group[0]))
        self.variables = _variables(group)

    def text(self, item: Item, name: str, values: tuple[str, ...], default: str = "") -> str:
        """Return what stands for values in the class: the only one there is, or a param."""
        if len(set(values)) == 1:
            return values[0]
        param = self.found.get(values)
        if param is None:
            param = self.found[values] = Param(self.name(item, name, values), values)
            self.params.append(param)
        param.default = param.default or default
        return param.name

    def statement(self, item: Item, name: str, texts: Sequence[str]) -> str:
        """Return a statement of all parts: numbers that differ are read from self."""
        if len(set(texts)) == 1:
            return texts[0]
        rows = zip(*([found[1] for found in _NUMBER.finditer(text) if found[1]] for text in texts),
                   strict=True)  # fmt: skip

        def read(found: re.Match[str]) -> str:
            if not found[1]:
                return found[0]
            values = next(rows)
            if len(set(values)) == 1:
                return found[0]
            given = self.text(item, name, values)
            param = self.found[values]
            if not param.attribute:
                while given in self.held:
                    given += "_"
                param.attribute = given
                self.held.add(given)
            return f"self.{param.attribute}"

        return _NUMBER.sub(read, texts[0])

    def name(self, item: Item, name: str, values: tuple[str, ...]) -> str:
        """Return the name of a param: of the block's variable, or of the layer's argument."""
        for variable, theirs in self.variables.items():
            if theirs == values:
                return self.unique(variable)
        if name in self.taken or name == "value":
            layer = item.made or item.called or (item.node.name if item.node else "")
            name = f"{layer[len(self.group[0].path) + 1 :].replace('.', '_')}_{name}"
        return self.unique(name)

    def unique(self, name: str) -> str:
        """Return a safe name that no other param has."""
        name = safe(name)
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name


def _variables(group: Sequence[Part]) -> dict[str, tuple[str, ...]]:
    """Return the block's variables, where every part is known to have a value, as source."""
    found: dict[str, list[str]] = {}
    for part in group:
        if part.origin is None:
            continue
        known = {name: value for name, value in part.origin.defaults.items()
                 if not holds_variables(value)}  # fmt: skip
        for name, value in (known | part.origin.given).items():
            if isinstance(value, bool | int | float | str | list):
                found.setdefault(name, []).append(_literal(value))
    return {name: tuple(values) for name, values in found.items() if len(values) == len(group)}


def _literal(value: Any) -> str:
    items = value if isinstance(value, list) else [value]
    plain = all(isinstance(item, bool | int | float | str) for item in items)
    return literal(tuple(value) if isinstance(value, list) else value) if plain else ""


@lru_cache(4096)
def _pattern(call: str) -> str:
    return _NUMBER.sub(lambda found: "#" if found[1] else found[0], call)


def _heads(part: Part) -> dict[str, None]:
    """Return the names of what a part holds."""
    start = len(part.path) + 1
    return {item.made[start:].partition(".")[0]: None for item in part.items if item.made}


def _names(part: Part) -> dict[str, None]:
    """Return the names of what a part holds as the spec has them."""
    start = len(part.origin.prefix) if part.origin is not None else 0
    named = [item.node.name[start:] if item.node else item.made[len(part.path) + 1 :]
             for item in part.items]  # fmt: skip
    return dict.fromkeys(name.partition(".")[0] for name in named)


def capital(name: str) -> str:
    """Return a name as that of a class, such as `DenseLayer` for `dense_layer`."""
    words = re.split(r"[^A-Za-z0-9]+", name)
    joined = "".join(word[:1].upper() + word[1:] for word in words)
    return safe(joined or "Block", frozenset(TAKEN))


@cache
def _signature(cls: Any) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the names of a constructor's arguments, and as source those that may be left out."""
    code = getattr(getattr(cls, "__init__", None), "__code__", None)
    if code is None:
        return (), {}
    names = code.co_varnames[1 : code.co_argcount]
    defaults = cls.__init__.__defaults__ or ()
    usual = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
    usual.update(cls.__init__.__kwdefaults__ or {})
    plain = {name: literal(value) for name, value in usual.items()
             if value is None or isinstance(value, bool | int | float | str)}  # fmt: skip
    return names, plain
