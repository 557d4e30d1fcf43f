"""Names for the layers and blobs of an imported file: legal ones, each its own."""

from __future__ import annotations

from itertools import compress, product

from ..expand import Choice
from ..spec import NAME, bad_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from .caffe_upgrade import Raw

STATES = 8  # names of stages tried in every combination, to tell whether two layers meet


class Legal:
    """Names that a spec takes for those of a file, which may hold anything; each its own."""

    def __init__(self) -> None:
        self.given: dict[str, str] = {}
        self.taken: set[str] = set()

    def __call__(self, name: str) -> str:
        """Return the name itself where a spec takes it, else one made from it."""
        if not bad_name(name):
            return name
        if name not in self.given:
            made = "".join(c if not bad_name(f"a{c}") else "_" for c in name)[:NAME] or "_"
            base, count = made, 1
            while made in self.taken:
                count += 1
                made = f"{base[: NAME - 8]}_{count}"
            self.taken.add(made)
            self.given[name] = made
        return self.given[name]


def unique_names(raws: Sequence[Raw], legal: Legal) -> list[str]:
    """Return a name for every layer, given ones first; no two that meet in a net are alike."""
    used: dict[str, list[Raw]] = {}
    for raw in raws:
        if name := raw.values.get("name"):
            used.setdefault(legal(name), [])
    names = []
    for raw in raws:
        name = legal(raw.values["name"]) if raw.values.get("name") else ""
        if not name:
            top = raw.values.get("top") or [raw.values.get("type") or "layer"]
            name = free(legal(str(top[0])), used)
        elif any(meet(raw, other) for other in used[name]):
            name = free(name, used)
        used.setdefault(name, []).append(raw)
        names.append(name)
    return names


def free(name: str, taken: Container[str]) -> str:
    """Return a name, with a number after it where it is taken."""
    made, count = name, 1
    while made in taken:
        count += 1
        made = f"{name}_{count}"
    return made


def meet(one: Raw, other: Raw) -> bool:
    """Return whether two layers can stand in one net: in a phase, with some level and stages."""
    if not (one.ruled or other.ruled):
        return True
    rules = [rule for raw in (one, other) for rule in raw.rules]
    levels = {0}
    stages: dict[str, None] = {}
    for rule in rules:
        levels.update(rule[key] for key in ("min_level", "max_level") if key in rule)
        stages.update(dict.fromkeys((*rule.get("stage", ()), *rule.get("not_stage", ()))))
    if len(stages) > STATES:
        return True
    for phase in ("TEST", "TRAIN"):
        for level in levels:
            for picked in product((False, True), repeat=len(stages)):
                choice = Choice(phase, stages=[*compress(stages, picked)], level=level)
                if one.kept(choice) and other.kept(choice):
                    return True
    return False
