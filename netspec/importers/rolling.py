"""Find what repeats in a list of layers, and write it as blocks: the same net, said once."""

from __future__ import annotations

import re

from ..layer import listed
from .rolled_block import LONGEST, TOKEN, Block, outside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Raw = dict[str, Any]

LEAST = 4  # lines that a block must save
INPUTS = 4
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
        made = Block(entries, length, starts, blocks, value.get("outputs", ())).build()
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
    entries = _repeats(entries)
    if not blocks:
        return value
    return {**value, "blocks": blocks, "layers": entries}


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
                wide = len(outside(run)) - 1 + 2 * (not counted and _straddles(run))
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
        for token in TOKEN.findall(name)
    )


def _closed(entries: Sequence[Raw], start: int, length: int) -> bool:
    """Return whether a run overwrites no blob from before it, and reads few of them."""
    run = entries[start : start + length]
    outer = outside(run)
    made = {top for entry in run for top in listed(entry.get("top"))}
    return 0 < len(outer) <= INPUTS and made.isdisjoint(outer)


def _straddles(run: Sequence[Raw]) -> bool:
    """Return whether the numbers in the names say that a run is parts of two stages."""
    numbers = {found[0] for entry in run if (found := re.search(r"[0-9]+", entry["name"]))}
    return len(numbers) > 1


def _repeats(entries: list[Raw]) -> list[Raw]:
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
