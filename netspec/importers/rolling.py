"""Find what repeats in a list of layers, and write it as blocks: the same net, said once."""

from __future__ import annotations

import re

from .caffe_tidy import imply, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Raw = dict[str, Any]
    Leaf = tuple[str | int, ...]

LONGEST = 160  # layers of one block
LEAST = 4  # lines that a block must save
VARIABLES = 12  # of one block
INPUTS = 4
SLOTS = ("x", "y", "z", "w")
_TOKEN = re.compile(r"[0-9]+|[A-Za-z]+|[^0-9A-Za-z]")
_PRIME, _MODULUS = 1_000_003, (1 << 61) - 1


def roll(value: Raw, counted: bool = False) -> Raw:
    """Return the value of a spec with what repeats rolled up, where anything does.

    Entries with rules of phases stay as they are. `counted` says that numbers in names count
    layers, and name no stages.
    """
    entries: list[Raw] = list(value["layers"])
    blocks: dict[str, Raw] = {}
    while len(blocks) < 16:
        found = _best(entries, counted)
        if found is None:
            break
        length, starts = found
        made = _Block(entries, length, starts, blocks).build()
        if made is None:
            # mark as tried: a changed token keeps it from being found again
            entries[starts[0]] = {**entries[starts[0]], "_tried": True}
            continue
        name, block, uses = made
        blocks[name] = block
        for start, use in zip(reversed(starts), reversed(uses), strict=True):
            entries[start : start + length] = [use]
    for entry in entries:
        entry.pop("_tried", None)
    entries = _repeats(entries, blocks)
    if not blocks:
        return value
    return {**value, "blocks": blocks, "layers": entries}


# what repeats


def _best(entries: Sequence[Raw], counted: bool) -> tuple[int, list[int]] | None:
    """Return length and starts of the run of layers whose rolling saves the most lines."""
    tokens = _tokens(entries)
    count = len(tokens)
    hashes, powers = [0], [1]
    for token in tokens:
        hashes.append((hashes[-1] * _PRIME + hash(token)) % _MODULUS)
        powers.append(powers[-1] * _PRIME % _MODULUS)
    live = _live(entries)
    best: tuple[int, int, list[int]] = (LEAST - 1, 0, [])
    for length in range(2, min(count // 2, LONGEST) + 1):
        places: dict[int, list[int]] = {}
        for start in range(count - length + 1):
            key = (hashes[start + length] - hashes[start] * powers[length]) % _MODULUS
            runs = places.setdefault(key, [])
            if not runs or start >= runs[-1] + length:
                runs.append(start)
        for runs in places.values():
            if len(runs) > 1 and (len(runs) - 1) * length - 4 > best[0]:
                starts = [start for start in runs if _closed(entries, start, length)]
                if len(starts) < 2 or _periodic(tokens[starts[0] : starts[0] + length]):
                    continue
                # a block that people would have made: one blob goes in, and one comes out
                run = entries[starts[0] : starts[0] + length]
                wide = len(_outside(run)) - 1 + 2 * (not counted and _straddles(run))
                odd = sum(
                    max(0, live[start] - 1) + max(0, live[start + length] - 1) for start in starts
                )
                chains = sum(start - length not in starts for start in starts)
                gain = (len(starts) - 1) * length - chains - 3 * wide * len(starts) - 2 * odd - 3
                if gain > best[0]:
                    best = (gain, length, starts)
    return (best[1], best[2]) if best[2] else None


def _periodic(run: list[Any]) -> bool:
    """Return whether a run is itself some shorter run, said twice or more."""
    return any(
        len(run) % size == 0 and run[size:] == run[:-size] for size in range(1, len(run) // 2 + 1)
    )


def _live(entries: Sequence[Raw]) -> list[int]:
    """Return for each place between two layers how many blobs cross it, inputs apart."""
    change = [0] * (len(entries) + 2)
    made: dict[str, list[int]] = {}  # by blob: where it was made, and where it was last read
    spans: list[list[int]] = []
    for index, entry in enumerate(entries):
        for bottom in listed(entry.get("bottom")):
            if bottom in made:
                made[bottom][1] = index
        for top in listed(entry.get("top")):
            made[top] = [index, index]
            spans.append(made[top])
    for first, last in spans:
        change[first + 1] += 1
        change[last + 1] -= 1
    found, count = [], 0
    for each in change:
        count += each
        found.append(count)
    return found


def _tokens(entries: Sequence[Raw]) -> list[Any]:
    """Return what must be alike in two layers for one block to stand for both."""
    made: dict[str, int] = {}
    tokens: list[Any] = []
    for index, entry in enumerate(entries):
        bottoms, tops = listed(entry.get("bottom")), listed(entry.get("top"))
        if "type" not in entry or "include" in entry or "exclude" in entry or "_tried" in entry:
            tokens.append(index)  # like no other
        else:
            # the inputs count as made right before the first layer
            far = tuple(index - made.get(name, -1) for name in bottoms)
            place = tuple(bottoms.index(top) if top in bottoms else -1 for top in tops)
            rest = {k: v for k, v in entry.items() if k not in ("name", "type", "bottom", "top")}
            names = (_pattern(entry["name"]), *map(_pattern, tops))
            tokens.append((entry["type"], far, place, _shape(rest), names))
        for top in tops:
            made[top] = index
    return tokens


def _shape(value: Any, varies: bool = False) -> Any:
    """Return a value without the numbers that a block's variables may stand for."""
    if isinstance(value, dict):
        return tuple(
            (key, _shape(item, varies or str(key).endswith("_param")))
            for key, item in value.items()
        )
    if isinstance(value, list):
        return tuple(_shape(item, False) for item in value)
    if varies and isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return (type(value).__name__, value)


def _pattern(name: str) -> tuple[str, ...]:
    """Return a name with its numbers and single letters left open: they tell copies apart."""
    return tuple(
        "0" if token.isdigit() else "a" if len(token) == 1 and token.isalpha() else token
        for token in _TOKEN.findall(name)
    )


def _closed(entries: Sequence[Raw], start: int, length: int) -> bool:
    """Return whether a run overwrites no blob from before it, and reads few of them."""
    run = entries[start : start + length]
    outer = _outside(run)
    made = {top for entry in run for top in listed(entry.get("top"))}
    return 0 < len(outer) <= INPUTS and made.isdisjoint(outer)


def _straddles(run: Sequence[Raw]) -> bool:
    """Return whether the numbers in the names say that a run is parts of two stages."""
    numbers = {found[0] for entry in run if (found := re.search(r"[0-9]+", entry["name"]))}
    return len(numbers) > 1


def _outside(run: Sequence[Raw]) -> list[str]:
    """Return the blobs that layers read from before them, in the order they read them."""
    inside: set[str] = set()
    found: dict[str, None] = {}
    for entry in run:
        for bottom in listed(entry.get("bottom")):
            if bottom not in inside:
                found[bottom] = None
        inside.update(listed(entry.get("top")))
    return list(found)


# one block


class _Block:
    """One run of layers and its copies, on the way to a block."""

    def __init__(
        self, entries: Sequence[Raw], length: int, starts: list[int], blocks: dict[str, Raw]
    ) -> None:
        self.entries = entries
        self.length = length
        self.starts = starts
        self.blocks = blocks
        self.copies = [entries[start : start + length] for start in starts]
        self.variables: dict[tuple[Any, ...], str] = {}  # by the values in each copy
        self.prefixes = [""] * len(starts)
        self.ids: dict[tuple[Any, ...], str] = {}

    def build(self) -> tuple[str, Raw, list[Raw]] | None:
        """Return the name of the block, the block, and the entry that uses it for each copy."""
        self.find_prefixes()
        sources = [_outside(copy) for copy in self.copies]
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
            common = names[0]
            for name in names:
                while not name.startswith(common):
                    common = common[:-1]
            found.append(common[: common.rfind("/") + 1])
        if all(found):
            self.prefixes = found

    def outputs(self) -> list[tuple[int, int]]:
        """Return offset and slot of the tops that layers after any copy read, or change."""
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
            taken, count = set(self.variables.values()), 1
            made = name
            while made in taken or made in RESERVED:
                count += 1
                made = f"{name}_{count}"
            self.variables[values] = made
        return self.variables[values]

    def name(self, names: list[str]) -> str | None:
        """Return a name in the block for one name in each copy; None where there is none."""
        inner = [
            name.removeprefix(prefix) for name, prefix in zip(names, self.prefixes, strict=True)
        ]
        if len(set(inner)) == 1:
            return inner[0] or None
        split = [_TOKEN.findall(name) for name in inner]
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
        common = texts[0]
        for text in texts:
            while not text.startswith(common):
                common = common[:-1]
        name = common.rstrip("0123456789_/.-") or "block"
        name = re.sub(r"[^A-Za-z0-9_-]", "_", name)
        taken, count, made = self.blocks, 1, name
        while made in taken:
            count += 1
            made = f"{name}_{count}"
        return made

    def use(
        self, index: int, name: str, sources: list[str], outputs: list[tuple[int, int]]
    ) -> Raw:
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


RESERVED = frozenset((
    "and", "or", "not", "if", "else", "min", "max", "abs", "round", "floor", "ceil", "int", "len",
    "true", "false", "i", "in", "None", "True", "False", "null",
))  # fmt: skip


# chains of one block


def _repeats(entries: list[Raw], blocks: dict[str, Raw]) -> list[Raw]:
    """Join uses of a block that follow one another, where numbers that count are all they vary."""
    readers: dict[str, int] = {}
    for entry in entries:
        for bottom in listed(entry.get("bottom")):
            readers[bottom] = readers.get(bottom, 0) + 1
    found: list[Raw] = []
    index = 0
    while index < len(entries):
        run = [entries[index]]
        while index + len(run) < len(entries) and _follows(run, entries[index + len(run)], readers):
            run.append(entries[index + len(run)])
        index += len(run)
        found.append(_joined(run) if len(run) > 1 else run[0])
    return found


def _follows(run: list[Raw], entry: Raw, readers: dict[str, int]) -> bool:
    last = run[-1]
    if "block" not in last or entry.get("block") != last["block"] or "repeat" in last:
        return False
    top = last.get("top")
    if not isinstance(top, str) or entry.get("bottom") != top or readers.get(top) != 1:
        return False
    if not isinstance(entry.get("top"), str) or entry["prefix"] or last["prefix"]:
        return False
    for key, value in entry.get("with", {}).items():
        before = last["with"][key]
        if value == before and (len(run) == 1 or before == run[-2]["with"][key]):
            continue
        if not (_number(value) and _number(before) and value > before):
            return False
        if len(run) > 1 and value - before != before - run[-2]["with"][key]:
            return False
    return True


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _joined(run: list[Raw]) -> Raw:
    first, last = run[0], run[-1]
    entry = {**last, "bottom": first["bottom"], "repeat": len(run)}
    given = {}
    for key, value in first.get("with", {}).items():
        if last["with"][key] == value:
            given[key] = value
            continue
        step = run[1]["with"][key] - value
        counted = "i" if step == 1 else f"{step} * i"
        given[key] = f"${{{counted} + {value}}}" if value else f"${{{counted}}}"
    if given:
        entry["with"] = given
    return entry
