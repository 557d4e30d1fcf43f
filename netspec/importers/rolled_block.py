"""Block: a run of layers and its copies, made into one block and the entries that use it."""

from __future__ import annotations

import re

from ..layer import listed
from .caffe_names import free
from .caffe_tidy import imply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Raw = dict[str, Any]

LONGEST = 160  # layers of one block
VARIABLES = 12  # of one block
SLOTS = ("x", "y", "z", "w")
RESERVED = frozenset((
    "and", "or", "not", "if", "else", "min", "max", "abs", "round", "floor", "ceil", "int", "len",
    "true", "false", "i", "in", "None", "True", "False", "null",
))  # fmt: skip
TOKEN = re.compile(r"[0-9]+|[A-Za-z]+|[^0-9A-Za-z]")


def outside(run: Sequence[Raw]) -> list[str]:
    """Return the blobs that layers read from before them, in the order they read them."""
    inside: set[str] = set()
    found: dict[str, None] = {}
    for entry in run:
        for bottom in listed(entry.get("bottom")):
            if bottom not in inside:
                found[bottom] = None
        inside.update(listed(entry.get("top")))
    return list(found)


class Block:
    """One run of layers and its copies, on the way to a block."""

    def __init__(
        self, entries: Sequence[Raw], length: int, starts: list[int], blocks: dict[str, Raw],
        kept: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.entries = entries
        self.length = length
        self.starts = starts
        self.blocks = blocks
        self.kept = kept  # outputs of the net
        self.copies = [entries[start : start + length] for start in starts]
        self.variables: dict[tuple[Any, ...], str] = {}  # by the values in each copy
        self.prefixes = [""] * len(starts)
        self.ids: dict[tuple[Any, ...], str] = {}

    def build(self) -> tuple[str, Raw, list[Raw]] | None:
        """Return the name of the block, the block, and the entry that uses it for each copy."""
        self.find_prefixes()
        sources = [outside(copy) for copy in self.copies]
        if len({len(found) for found in sources}) != 1:
            return None
        outputs = self.outputs()
        layers: list[Raw] = []
        for offset in range(self.length):
            layer = self.layer(offset, sources)
            if layer is None:
                return None
            layers.append(layer)
        if len(self.variables) > VARIABLES:
            return None
        given = [listed(self.copies[0][offset]["top"])[slot] for offset, slot in outputs]
        inner = [self.name([listed(copy[offset]["top"])[slot] for copy in self.copies])
                 for offset, slot in outputs]  # fmt: skip
        if None in inner or len(set(given)) != len(given):
            return None
        count = len(sources[0])
        block: Raw = {}
        if self.variables:
            block["vars"] = dict.fromkeys(self.variables.values())
        block["inputs"] = list(SLOTS[:count])
        imply(layers, block["inputs"])
        block["layers"] = layers
        last = listed(self.copies[0][-1].get("top"))
        if outputs != [(self.length - 1, slot) for slot in range(len(last))]:
            block["outputs"] = inner
            if any("$" in str(each) for each in inner):
                return None  # the outputs of a block have fixed names
        name = self.block_name()
        uses = [self.use(index, name, sources[index], outputs) for index in range(len(self.starts))]
        return name, block, uses

    def find_prefixes(self) -> None:
        """Find what all names in a copy begin with, up to a `/`."""
        found = []
        for copy in self.copies:
            names = [name for entry in copy for name in (entry["name"], *listed(entry.get("top")))]
            common = _common(names)
            found.append(common[: common.rfind("/") + 1])
        if all(found):
            self.prefixes = found

    def outputs(self) -> list[tuple[int, int]]:
        """Return offset and slot of the tops that are read or changed after any copy, or kept."""
        found: set[tuple[int, int]] = set()
        for start, copy in zip(self.starts, self.copies, strict=True):
            last: dict[str, tuple[int, int]] = {}
            for offset, entry in enumerate(copy):
                for slot, top in enumerate(listed(entry.get("top"))):
                    last[top] = (offset, slot)
            for entry in self.entries[start + self.length :]:
                for bottom in listed(entry.get("bottom")):
                    if bottom in last:
                        found.add(last[bottom])
                for top in listed(entry.get("top")):
                    last.pop(top, None)
            found.update(last[name] for name in self.kept if name in last)
        return sorted(found)

    def layer(self, offset: int, sources: list[list[str]]) -> Raw | None:
        """Return one layer of the block, with variables where the copies differ."""
        versions = [copy[offset] for copy in self.copies]
        name = self.name([entry["name"] for entry in versions])
        bottoms = []
        for slot in range(len(listed(versions[0].get("bottom")))):
            names = [listed(entry["bottom"])[slot] for entry in versions]
            places = [
                found.index(each) if each in found and self.from_outside(copy, offset, each) else -1
                for copy, found, each in zip(self.copies, sources, names, strict=True)
            ]
            if len(set(places)) != 1:
                return None
            bottoms.append(SLOTS[places[0]] if places[0] >= 0 else self.name(names))
        tops = [
            self.name([listed(entry["top"])[slot] for entry in versions])
            for slot in range(len(listed(versions[0].get("top"))))
        ]
        if name is None or None in bottoms or None in tops or set(tops) & set(SLOTS):
            return None
        found: Raw = {"name": name, "type": versions[0]["type"]}
        for key, names in (("bottom", bottoms), ("top", tops)):
            if key in versions[0]:
                found[key] = names[0] if len(names) == 1 else names
        label = re.sub(r"[^A-Za-z0-9]+", "_", re.sub(r"\$\{[^}]*\}", "", name)).strip("_")
        for key, value in versions[0].items():
            if key not in ("name", "type", "bottom", "top"):
                each = [entry[key] for entry in versions]
                found[key] = self.merged(each, (label or "layer", key), value)
        return found

    def from_outside(self, copy: Sequence[Raw], offset: int, name: str) -> bool:
        """Return whether no layer of a copy before this one makes a blob."""
        return not any(name in listed(entry.get("top")) for entry in copy[:offset])

    def merged(self, values: list[Any], where: tuple[str, ...], first: Any) -> Any:
        """Return a value that all copies share, with variables in it where they differ."""
        if isinstance(first, dict):
            return {
                key: self.merged([value[key] for value in values], (*where, key), item)
                for key, item in first.items()
            }
        if all(value == first and type(value) is type(first) for value in values):
            return first
        return f"${self.variable(tuple(values), where)}"

    def variable(self, values: tuple[Any, ...], where: tuple[str, ...]) -> str:
        """Return the variable that has these values in the copies."""
        if values not in self.variables:
            label, *path = where
            base = f"{label}_{path[-1]}" if path and path[-1] != "num_output" else label
            name = f"n{base}" if base[:1].isdigit() else base
            self.variables[values] = free(name, RESERVED.union(self.variables.values()))
        return self.variables[values]

    def name(self, names: list[str]) -> str | None:
        """Return a name in the block for one name in each copy; None where there is none."""
        inner = [
            name.removeprefix(prefix) for name, prefix in zip(names, self.prefixes, strict=True)
        ]
        if len(set(inner)) == 1:
            return inner[0] or None
        split = [TOKEN.findall(name) for name in inner]
        if len({len(tokens) for tokens in split}) != 1 or any("$" in name for name in inner):
            return None
        pieces: list[str] = []
        varying: list[str] = []
        columns = [*zip(*split, strict=True), ("",) * len(names)]
        for column in columns:
            same = len(set(column)) == 1
            if same and varying:
                values: tuple[Any, ...] = tuple(varying)
                if all(str(int(v)) == v if v.isdigit() else False for v in values):
                    values = tuple(map(int, values))
                pieces.append("${" + self.counted(values) + "}")
                varying = []
            if same:
                pieces.append(column[0])
            else:
                varying = [a + b for a, b in zip(varying or [""] * len(names), column, strict=True)]
        return "".join(pieces)

    def counted(self, values: tuple[Any, ...]) -> str:
        """Return the expression of what tells the names of copies apart."""
        for known, name in self.ids.items():
            apart = {
                value - other if isinstance(value, int) and isinstance(other, int) else 0
                for value, other in zip(values, known, strict=True)
            }
            if len(apart) == 1 and 0 < (step := min(apart)) <= LONGEST:
                return f"{name} + {step}"
        found = self.variable(values, ("id",))
        self.ids[values] = found
        return found

    def block_name(self) -> str:
        """Return a name for the block: what the names of its copies have in common."""
        first = [copy[0]["name"] for copy in self.copies]
        texts = self.prefixes if all(self.prefixes) else first
        name = _common(texts).rstrip("0123456789_/.-") or "block"
        name = re.sub(r"[^A-Za-z0-9_-]", "_", name)
        return free(name, self.blocks)

    def use(self, index: int, name: str, sources: list[str], outputs: list[tuple[int, int]]) -> Raw:
        """Return the entry that stands for one copy."""
        copy, prefix = self.copies[index], self.prefixes[index]
        tops = [listed(copy[offset]["top"])[slot] for offset, slot in outputs]
        last = listed(copy[-1].get("top")) or [copy[-1]["name"]]
        entry: Raw = {"name": prefix.rstrip("/") or (tops or last)[-1], "block": name}
        entry["bottom"] = sources[0] if len(sources) == 1 else sources
        entry["top"] = tops[0] if len(tops) == 1 else tops
        entry["prefix"] = prefix
        if self.variables:
            entry["with"] = {var: values[index] for values, var in self.variables.items()}
        return entry


def _common(texts: Sequence[str]) -> str:
    """Return what all texts begin with."""
    common = texts[0]
    for text in texts:
        while not text.startswith(common):
            common = common[:-1]
    return common
