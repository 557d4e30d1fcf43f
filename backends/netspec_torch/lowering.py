"""Lowered: what a layer becomes in Python source, and the few words to write it with."""

from __future__ import annotations

from typing import Any

from netspec.plugins import Folder


class Refused(Exception):
    """This backend cannot build the layer; the message is the reason, on one line."""


class Lowered:
    """One layer as source text.

    `init` constructs the module that holds its weights or state, or is empty; `call` is the
    expression of its tops, with `{self}` for the module, `{0}` `{1}` for the bottoms and
    `{args}` for all of them; `uses` are the classes and functions of this package it names.
    """

    __slots__ = ("call", "init", "uses")

    def __init__(self, init: str, call: str, uses: tuple[Any, ...] = ()) -> None:
        self.init = init
        self.call = call
        self.uses = uses


def module(kind: str | type, *args: Any, call: str = "{self}({args})", **kwargs: Any) -> Lowered:
    """Return a lowering to a module: `nn.X` by name, or a class of this package.

    Keyword arguments that are None are left out.
    """
    name, uses = (kind, ()) if isinstance(kind, str) else (kind.__name__, (kind,))
    return Lowered(f"{name}({arguments(*args, **kwargs)})", call, uses)


def function(kind: str | Any, *args: Any, bottoms: str = "{args}", **kwargs: Any) -> Lowered:
    """Return a lowering to a call: `torch.x` by name, or a function of this package.

    `bottoms` says how they are handed over: `{args}`, `[{args}]`, `{0}`, or nothing at all.
    """
    name, uses = (kind, ()) if isinstance(kind, str) else (kind.__name__, (kind,))
    inner = ", ".join(part for part in (bottoms, arguments(*args, **kwargs)) if part)
    return Lowered("", f"{name}({inner})", uses)


def expression(text: str, *uses: Any) -> Lowered:
    """Return a lowering to an expression over `{0}`, `{1}`, ..."""
    return Lowered("", text, uses)


def arguments(*args: Any, **kwargs: Any) -> str:
    """Return arguments as source."""
    parts = [literal(value) for value in args]
    parts += [f"{key}={literal(value)}" for key, value in kwargs.items() if value is not None]
    return ", ".join(parts)


def literal(value: Any) -> str:
    """Return a value as a Python literal; the only way a value of a spec enters source."""
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, int):
        return repr(int(value))
    if isinstance(value, float):
        return f'float("{value}")' if value != value or value in _INFINITE else repr(float(value))
    if isinstance(value, str):
        return ascii(str(value)).replace("{", "\\x7b").replace("}", "\\x7d")
    if isinstance(value, list | tuple):
        inner = ", ".join(literal(item) for item in value)
        if isinstance(value, tuple):
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        return f"[{inner}]"
    raise Refused(f"the size {value} is not known: bind its symbols, as with --at H=224")


_INFINITE = (float("inf"), float("-inf"))


def same(values: tuple[int, ...]) -> int | tuple[int, ...]:
    """Return one number where all are equal, as a person would write it."""
    return values[0] if len(set(values)) == 1 else values


def unless(value: Any, usual: Any) -> Any:
    """Return a value, None where it is the usual one: an argument that needs no saying."""
    return None if value == usual else value


lowerings = Folder("netspec_torch.layers", "netspec.torch")
