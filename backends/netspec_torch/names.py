"""Names from a spec as safe Python identifiers."""

from __future__ import annotations

import keyword
import re

from torch import nn

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,9}", re.ASCII)
# what a module already means by a name, or the generated source does
TAKEN = frozenset(dir(nn.Module())) | {"self", "torch", "nn", "F", "math", "multipliers", "names"}


def safe(name: str, taken: frozenset[str] = TAKEN, digits: bool = False) -> str:
    """Return `name` where it is a safe identifier, else one made from it.

    Safe is: ASCII letters, digits and `_`, at most 128 of them, no keyword, and nothing that a
    module already has, such as `forward` or `training`.
    """
    if digits and _DIGITS.fullmatch(name):
        return name
    if _PLAIN.fullmatch(name) and not _reserved(name, taken):
        return name
    made = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)[:120]
    made = made if made[:1].isalpha() or made[:1] == "_" else f"n{made}"
    return f"{made}_" if _reserved(made, taken) or made in ("_", "__") else made


def _reserved(name: str, taken: frozenset[str]) -> bool:
    return (
        name in taken
        or keyword.iskeyword(name)
        or keyword.issoftkeyword(name)
        or name.startswith("__")
    )


def attributes(names: list[str]) -> dict[str, str]:
    """Return a safe attribute path for each dotted layer name; no two are alike.

    A path is a prefix of no other: a layer cannot also hold layers.
    """
    groups: dict[str, int] = {}  # in the order they first stand in
    for position, name in enumerate(names):
        at = name.find(".")
        while at >= 0:
            groups.setdefault(name[:at], position)
            at = name.find(".", at + 1)
    made: dict[str, str] = {}
    taken: set[str] = set()
    safe_groups: dict[str, str] = {"": ""}

    def unique(path: str) -> str:
        found, count = path, 1
        while found in taken:
            count += 1
            found = f"{path}_{count}"
        taken.add(found)
        return found

    for group in sorted(groups, key=lambda name: (name.count("."), groups[name])):
        parent, _, last = group.rpartition(".")
        prefix = safe_groups[parent]
        path = safe(last, digits=bool(prefix))
        safe_groups[group] = unique(f"{prefix}.{path}" if prefix else path)
    for name in names:
        parent, _, last = name.rpartition(".")
        prefix = safe_groups[parent]
        path = safe(last, digits=bool(prefix))
        made[name] = unique(f"{prefix}.{path}" if prefix else path)
    return made
