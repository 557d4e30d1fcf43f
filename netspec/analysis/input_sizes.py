"""Legal input sizes: the smallest that fit, and whether all of a set do."""

from __future__ import annotations

from ..compare import compare, smallest
from ..dim import Dim, maximum, symbol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..dim import Size
    from ..net import Net


class Sizes:
    """The sizes a symbol may take: every `step` from `start`, up to `stop` where there is one."""

    __slots__ = ("start", "step", "stop")

    def __init__(self, start: int = 1, step: int = 1, stop: int | None = None) -> None:
        self.start = start
        self.step = step
        self.stop = stop

    def nth(self, count: Size) -> Size:
        """Return the size at a place in the set, counted from 1."""
        return self.start + (count - 1) * self.step

    @property
    def count(self) -> int | None:
        """Return how many there are; None for no end."""
        return None if self.stop is None else max(0, (self.stop - self.start) // self.step + 1)


class Misfit:
    """Sizes at which a net does not fit, the layer that breaks, and how."""

    __slots__ = ("layer", "reason", "sizes")

    def __init__(self, layer: str, sizes: dict[str, int], reason: str) -> None:
        self.layer = layer
        self.sizes = sizes
        self.reason = reason


def least(net: Net) -> dict[str, int]:
    """Return the smallest size of each symbol at which every layer fits."""
    return smallest(net.fits) or {}


def misfit(net: Net, sizes: Mapping[str, Sizes]) -> Misfit | None:
    """Return the first sizes out of `sizes` at which a layer does not fit; None where all do.

    Each symbol is replaced by its n-th legal size, so that what is asked of a set is asked of
    every n from 1, and proved as conditions of a net are.
    """
    places: dict[str, Size] = {}
    for name, allowed in sizes.items():
        single = allowed.count == 1
        places[name] = allowed.start if single else allowed.nth(symbol(name))
    for fit in net.fits:
        if fit.symbols & places.keys():
            found = _differs(maximum(fit.at(places), 1), fit.at(places), sizes)
            if found is not None:
                return Misfit(_maker(net, fit), found, f"a size would be {fit.at(found)}")
    for condition in net.conditions:
        left, right = _at(condition.size, places), _at(condition.other, places)
        found = _differs(left, right, sizes)
        if found is not None:
            left, right = _at(condition.size, found), _at(condition.other, found)
            return Misfit(condition.layer, found, f"{left} against {right}")
    return None


def _differs(a: Size, b: Size, sizes: Mapping[str, Sizes]) -> dict[str, int] | None:
    """Return the first sizes at which two sizes differ, where `sizes` hold them."""
    if not isinstance(a, Dim) and not isinstance(b, Dim):
        return None if a == b else {n: s.start for n, s in sizes.items() if s.count == 1}
    verdict = compare(a, b)
    if verdict.counterexample is None:
        return None
    found: dict[str, int] = {}
    for name, allowed in sizes.items():
        place = verdict.counterexample.get(name)
        if place is None:
            if allowed.count == 1:
                found[name] = allowed.start
            continue
        if allowed.count is not None and place > allowed.count:
            return None
        found[name] = int(allowed.start + (place - 1) * allowed.step)
    return found


def _at(size: Size, sizes: Mapping[str, Size]) -> Size:
    return size.at(sizes) if isinstance(size, Dim) else size


def _maker(net: Net, size: Dim) -> str:
    for node in net.flat.nodes:
        for top in node.tops:
            if top.blob is not None and size in top.blob.shape:
                return node.name
    return net.name
