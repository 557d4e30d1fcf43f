"""compare: two exact sizes are equal, unequal, or equal under a condition; the smallest sizes."""

from __future__ import annotations

from bisect import bisect_left
from itertools import product as grid
from math import gcd, prod

from .dim import (
    ATOMS,
    Dim,
    atoms_of,
    common_factor,
    from_terms,
    growth_of,
    rises,
    smooth,
    terms_of,
    without,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .dim import Point, Size

_MAX_SIZE = 1 << 16
_MAX_WORK = 400_000
_MAX_STEPS = 20_000


class Comparison:
    """Say where two sizes agree; `proved` where the verdict is exact and not only sampled."""

    __slots__ = ("always", "counterexample", "example", "never", "proved", "when")

    def __init__(
        self,
        when: str,
        counterexample: dict[str, int] | None,
        example: dict[str, int] | None,
        proved: bool,
    ) -> None:
        self.always = counterexample is None
        self.never = example is None
        self.when = "always equal" if self.always else "never equal" if self.never else when
        self.counterexample = counterexample
        self.example = example
        self.proved = proved


def smallest(fits: Sequence[Size]) -> dict[str, int] | None:
    """Return the smallest sizes that make all of `fits` at least 1, or None for none found."""
    if any(isinstance(fit, int) and fit < 1 for fit in fits):
        return None
    dims = [fit for fit in dict.fromkeys(fits) if isinstance(fit, Dim)]
    sizes = _corner(dims)
    shared = [dim for dim in dims if len(dim.symbols) > 1]
    if sizes is None or not shared:
        return sizes
    names = sorted({name for dim in shared for name in dim.symbols})
    low = tuple(sizes[name] for name in names)
    holds = _condition(shared, names)
    if not holds(low) and all(map(rises, shared)):
        least = _first(lambda n: holds(tuple(max(n, x) for x in low)), True)
        if least is None:
            return None
        point = [max(least, x) for x in low]
        for i, start in enumerate(low):

            def lower(n: int, i: int = i, start: int = start) -> bool:
                return n >= start and holds((*point[:i], n, *point[i + 1 :]))

            point[i] = _first(lower, True) or point[i]
        low = tuple(point)
    elif not holds(low):
        found = filter(holds, grid(*(range(x, x + _reach(len(names), shared)) for x in low)))
        best = min(found, key=lambda point: (max(point), point), default=None)
        if best is None:
            return None
        low = best
    return sizes | dict(zip(names, low, strict=True))


def compare(a: Size, b: Size, fits: Sequence[Size] = ()) -> Comparison:
    """Compare over all sizes of at least 1 at which every one of `fits` is at least 1 too.

    Without a size at which all of `fits` hold, they are passed over.
    """
    gap = a - b
    if gap == 0:
        return Comparison("", None, {}, True)
    dims = [fit for fit in dict.fromkeys(fits) if isinstance(fit, Dim)]
    low = (_corner(dims) if smallest(fits) is not None else None) or {}
    # A fit that rises and holds in the corner holds everywhere beyond.
    rest = [f for f in dims if low and not (rises(f) and _condition([f], [*low])((*low.values(),)))]
    names = sorted({s for size in (a, b, *rest) if isinstance(size, Dim) for s in size.symbols})
    base = {name: low.get(name, 1) for name in names}
    core = _core(gap) if isinstance(gap, Dim) else gap
    if not rest:
        if isinstance(core, int):
            return Comparison("", base, None, True)
        names = sorted(core.symbols)
        line = _compare_line(core, names[0], base) if len(names) == 1 else None
        if line is not None:
            return line
    return _compare_grid(core, names, base, rest)


def _compile(size: Size, names: Sequence[str]) -> Callable[[Point], int]:
    order = atoms_of(size)
    slots = {serial: slot for slot, serial in enumerate(order)}

    def plan(size: Size) -> list[tuple[int, Point]]:
        return [(c, tuple(slots[s] for s in m)) for m, c in terms_of(size).items()]

    atoms = [ATOMS[serial] for serial in order]
    code = [
        (a.kind, names.index(a.name) if a.name else 0, [plan(arg) for arg in a.args]) for a in atoms
    ]
    result = plan(size)

    def run(point: Point) -> int:
        values: list[int] = []

        def value(terms: list[tuple[int, Point]]) -> int:
            total = 0
            for factor, at in terms:
                for slot in at:
                    factor *= values[slot]
                total += factor
            return total

        for kind, position, args in code:
            if kind == "symbol":
                values.append(point[position])
            elif kind == "//":
                values.append(value(args[0]) // value(args[1]))
            else:
                values.append((min if kind == "min" else max)(map(value, args)))
        return value(result)

    return run


def _condition(fits: Sequence[Dim], names: Sequence[str]) -> Callable[[Point], bool]:
    programs = [_compile(fit, names) for fit in fits]

    def holds(point: Point) -> bool:
        try:
            return all(program(point) >= 1 for program in programs)
        except ZeroDivisionError:
            return False

    return holds


def _first(holds: Callable[[int], bool], rising: bool) -> int | None:
    """Return the first size at which `holds`; halve the range where it stays true once true."""
    sizes = range(1, _MAX_SIZE + 1)
    if not rising:
        return next(filter(holds, sizes), None)
    return bisect_left(sizes, True, key=holds) + 1 if holds(_MAX_SIZE) else None


def _corner(fits: Sequence[Dim]) -> dict[str, int] | None:
    """Return the least size of each symbol, by those of `fits` that depend on it alone."""
    sizes = {}
    for name in sorted({name for fit in fits for name in fit.symbols}):
        own = [fit for fit in fits if fit.symbols == {name}]
        holds = _condition(own, [name])
        least = _first(lambda n, holds=holds: holds((n,)), all(map(rises, own)))  # type: ignore[misc]
        if least is None:
            return None
        sizes[name] = least
    return sizes


def _weight(sizes: Iterable[Size]) -> int:
    """Return how much there is to compute for one value of each of `sizes`."""
    atoms = {serial for size in sizes for serial in atoms_of(size)}
    return 10 + sum(len(terms_of(arg)) for serial in atoms for arg in ATOMS[serial].args)


def _reach(symbols: int, sizes: Iterable[Size]) -> int:
    """Return the side of the largest block of points that is quick to try."""
    return max(2, int((_MAX_WORK // _weight(sizes)) ** (1 / symbols)))


def _core(gap: Dim) -> Size:
    """Return `gap` without the factors that are never 0."""
    common = tuple(s for s in common_factor([*gap.terms]) if ATOMS[s].kind == "symbol")
    factor = gcd(*gap.terms.values())
    return from_terms({without(m, common) or (): c // factor for m, c in gap.terms.items()})


def _differences(row: list[int], shape: Sequence[int]) -> list[int]:
    """Return the forward differences at the corner of a block of values."""
    row = row.copy()
    stride = 1
    for extent in reversed(shape):
        for level in range(1, extent):
            for i in range(len(row) - 1, -1, -1):
                if i // stride % extent >= level:
                    row[i] -= row[i - stride]
        stride *= extent
    return row


def _definite(row: list[int]) -> bool:
    """Say whether a polynomial with these forward differences keeps its sign from here on."""
    return row[0] != 0 and (min(row) >= 0 or max(row) <= 0)


class _Line:
    """Where a size of one symbol is 0: `roots`, and `zeros` modulo `period` from `start` on."""

    def __init__(self, period: int, start: int) -> None:
        self.period = period
        self.start = start
        self.roots: list[int] = []
        self.zeros: list[int] = []


def _follow(size: Dim, name: str, start: int) -> _Line | None:
    """Find every zero from `start` on; None where that takes too long."""
    period, degree = growth_of(size)[name]
    if period * (degree + 1) > _MAX_STEPS:
        return None
    program, line, steps = _compile(size, [name]), _Line(period, start), 0
    for x in range(start, start + period):
        row = [program((x + period * k,)) for k in range(degree + 1)]
        row = _differences(row, [degree + 1])
        while any(row) and not _definite(row):
            steps += 1
            if steps > _MAX_STEPS:
                return None
            if not row[0]:
                line.roots.append(x)
            straight = not any(row[2:]) and row[0] != 0
            jump = max(1, abs(row[0]) // abs(row[1])) if straight else 1
            x += jump * period
            row = [v + jump * after for v, after in zip(row, [*row[1:], 0], strict=True)]
            line.start = max(line.start, x)
        if not any(row):
            line.zeros.append(x % period)
    return line


def _compare_line(core: Dim, name: str, base: dict[str, int]) -> Comparison | None:
    low = start = base[name]
    if not smooth(core, ("symbol", "//", "min", "max")):
        return None
    for atom in (ATOMS[serial] for serial in atoms_of(core)):
        for first, second in grid(atom.args, repeat=2) if atom.kind in ("min", "max") else ():
            gap = first - second
            if isinstance(gap, Dim):
                settled = _follow(gap, name, start) if smooth(gap) else None
                if settled is None:
                    return None
                start = max(start, settled.start)
    line = _follow(core, name, start)
    if line is None or start - low > _MAX_STEPS:
        return None
    program, zeros = _compile(core, [name]), set(line.zeros)
    equal = [x for x in range(low, start) if not program((x,))] + sorted(line.roots)
    reach = range(start, start + line.period * (growth_of(core)[name][1] + 1))
    odd = sorted(set(range(low, start)).difference(equal))
    counterexample = next((x for x in (*odd, *reach) if program((x,))), None)
    firsts = [start + (residue - start) % line.period for residue in zeros]
    return Comparison(
        _when_line(name, range(low, start), equal, odd, line),
        None if counterexample is None else base | {name: counterexample},
        base | {name: min(equal + firsts)} if equal + firsts else None,
        True,
    )


def _when_line(name: str, below: range, equal: list[int], odd: list[int], line: _Line) -> str:
    if len(line.zeros) == line.period:
        if odd == [*below[: len(odd)]]:
            return f"equal only for {name} >= {below.start + len(odd)}"
        if len(odd) <= 3:
            return f"equal except for {name} = {_listed(odd)}"
        return f"equal from {name} = {below.stop} on, and for {len(equal)} smaller {name}"
    if not line.zeros:
        if len(equal) <= 3:
            return f"equal only for {name} = {_listed(equal)}"
        if equal == [*below[: len(equal)]]:
            return f"equal only for {name} <= {equal[-1]}"
        return f"equal only for {len(equal)} values of {name}, the last {equal[-1]}"
    pattern = _residues(name, set(line.zeros), line.period)
    text = f"equal only {'where' if '%' in pattern else 'for'} {pattern}"
    regular = not line.roots and all((x % line.period in line.zeros) == (x in equal) for x in below)
    return text if regular else f"from {name} = {max([below.stop, *equal])} on {text}"


def _residues(name: str, residues: set[int], period: int) -> str:
    for divisor in range(1, period + 1):
        if period % divisor == 0:
            small = {residue % divisor for residue in residues}
            if len(small) * (period // divisor) == len(residues):
                residues, period = small, divisor
                break
    inside, outside = sorted(residues), sorted(set(range(period)) - residues)
    if period == 2:
        return f"{'odd' if inside[0] else 'even'} {name}"
    if len(inside) <= min(3, len(outside)):
        return f"{name} % {period} is {_listed(inside)}"
    if len(outside) <= 3:
        return f"{name} % {period} is not {_listed(outside)}"
    if inside[-1] - inside[0] < len(inside):
        return f"{name} % {period} is {inside[0]} to {inside[-1]}"
    return f"{len(inside)} of every {period} values of {name}"


def _listed(numbers: Sequence[int]) -> str:
    return " or ".join(map(str, numbers))


def _compare_grid(
    core: Size, names: list[str], base: dict[str, int], fits: Sequence[Dim]
) -> Comparison:
    growth = growth_of(core)
    periods = [growth.get(name, (1, 0))[0] for name in names]
    shape = [growth.get(name, (1, 0))[1] + 1 for name in names]
    sides = [period * extent for period, extent in zip(periods, shape, strict=True)]
    exact = smooth(core) and prod(sides) <= _MAX_WORK // _weight([core])
    low, wide = [base[name] for name in names], _reach(len(names), [core])
    program, holds = _compile(core, names), _condition(fits, names)

    def table(sides: Sequence[int]) -> dict[Point, int]:
        values = {}
        for point in grid(*(range(x, x + side) for x, side in zip(low, sides, strict=True))):
            try:
                values[point] = program(point)
            except ZeroDivisionError:
                continue
        return values

    def search(values: Mapping[Point, int], equal: bool) -> dict[str, int] | None:
        found = (p for p, value in values.items() if (value == 0) == equal and holds(p))
        best = min(found, key=lambda point: (max(point), point), default=None)
        return None if best is None else base | dict(zip(names, best, strict=True))

    block = sides if exact else [min(wide, side) for side in sides]
    values = table(block)
    classes: dict[Point, list[int]] = {}
    if exact:
        for point, value in values.items():
            residue = tuple(x % period for x, period in zip(point, periods, strict=True))
            classes.setdefault(residue, []).append(value)
    rows = {residue: _differences(row, shape) for residue, row in classes.items()}
    zeros = {residue for residue, row in rows.items() if not any(row)}
    settled = exact and all(residue in zeros or _definite(row) for residue, row in rows.items())
    example, counterexample = search(values, True), search(values, False)
    proved = settled and (not zeros or len(zeros) == len(rows))
    if not proved and (fits or not settled):
        # A smaller one may lie beside the block, below the largest side of the one found.
        both = example and counterexample and [*example.values(), *counterexample.values()]
        top = max(both or [wide + max(low)])
        values = table(
            [max(side, min(wide, top - x + 1)) for side, x in zip(block, low, strict=True)]
        )
        example, counterexample = search(values, True), search(values, False)
    if settled:
        when = _when_grid(names, zeros, periods)
    else:
        when = _equation(core) or (
            f"equal at {sum(not v for v in values.values())} of {len(values)} small sizes"
        )
    decided = example is not None and counterexample is not None
    return Comparison(when, counterexample, example, proved or decided)


def _when_grid(names: list[str], zeros: set[Point], periods: list[int]) -> str:
    sides = [set(side) for side in zip(*zeros, strict=True)]
    if prod(map(len, sides)) > len(zeros):
        shown = ", ".join(f"{n} % {p}" for n, p in zip(names, periods, strict=True) if p > 1)
        return f"equal for {len(zeros)} of every {prod(periods)} cases of {shown}"
    each = zip(names, sides, periods, strict=True)
    texts = [_residues(name, side, period) for name, side, period in each if len(side) < period]
    return f"equal only {'where' if '%' in texts[0] else 'for'} {' and '.join(texts)}"


def _equation(core: Size) -> str:
    """Return the condition `core` is 0 in words, or nothing where it is long."""
    if not isinstance(core, Dim) or len(core.terms) > 3:
        return ""
    above = from_terms({m: c for m, c in core.terms.items() if c > 0})
    below = from_terms({m: -c for m, c in core.terms.items() if c < 0})
    left, right = sorted(map(str, (above, below)), key=lambda text: (text.isdigit(), text))
    return f"equal only where {left} is {right}"
