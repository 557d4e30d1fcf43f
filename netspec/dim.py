"""Dim: exact symbolic sizes with floor and ceil; equal, unequal, or equal under a condition."""

from __future__ import annotations

from bisect import bisect_left
from itertools import count
from itertools import product as grid
from math import gcd, lcm, prod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TypeAlias

    Size: TypeAlias = "int | Dim"
    Monomial: TypeAlias = tuple[int, ...]
    Terms: TypeAlias = dict[Monomial, int]
    Point: TypeAlias = tuple[int, ...]

# Past these a polynomial is wrapped into one opaque atom, so that no chain of layers explodes.
_MAX_TERMS = 400
_MAX_DEGREE = 16
_MAX_TEXT = 240

_MAX_SIZE = 1 << 16
_MAX_WORK = 400_000
_MAX_STEPS = 20_000


class Dim:
    """Hold an integer polynomial over atoms: symbols, floor divisions, minima and maxima."""

    __slots__ = ("_hash", "terms")

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._hash: int | None = None

    def __add__(self, other: Size) -> Size:
        if isinstance(other, int):
            terms = self.terms.copy()
            _accumulate(terms, (), other)
            return Dim(terms)
        if not isinstance(other, Dim):
            return NotImplemented
        long, short = self.terms, other.terms
        if len(long) < len(short):
            long, short = short, long
        terms = long.copy()
        for monomial, factor in short.items():
            _accumulate(terms, monomial, factor)
        return _size(terms) if len(terms) <= _MAX_TERMS else _opaque(long) + Dim(short)

    def __mul__(self, other: Size) -> Size:
        if isinstance(other, int):
            return Dim({m: c * other for m, c in self.terms.items()}) if other else 0
        if not isinstance(other, Dim):
            return NotImplemented
        left, right = self.terms, other.terms
        degree = max(map(len, left)) + max(map(len, right))
        if degree > _MAX_DEGREE or len(left) * len(right) > _MAX_TERMS:
            left, right = _opaque(left).terms, _opaque(right).terms
        terms: Terms = {}
        for ours, c in left.items():
            for theirs, d in right.items():
                _accumulate(terms, tuple(sorted(ours + theirs)), c * d)
        return _size(terms)

    def __floordiv__(self, other: Size) -> Size:
        if isinstance(other, int):
            return _floor(self.terms, other)
        return _quotient(self, other) if isinstance(other, Dim) else NotImplemented

    def __rfloordiv__(self, other: int) -> Size:
        return _quotient(other, self) if isinstance(other, int) else NotImplemented

    def __mod__(self, other: Size) -> Size:
        if not isinstance(other, (int, Dim)):
            return NotImplemented
        return self - other * (self // other)

    def __rmod__(self, other: int) -> Size:
        return other - self * (other // self) if isinstance(other, int) else NotImplemented

    def __neg__(self) -> Dim:
        return Dim({m: -c for m, c in self.terms.items()})

    def __sub__(self, other: Size) -> Size:
        return self + -other if isinstance(other, (int, Dim)) else NotImplemented

    def __rsub__(self, other: int) -> Size:
        return -self + other if isinstance(other, int) else NotImplemented

    __radd__ = __add__
    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dim) and self.terms == other.terms

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self.terms.items()))
        return self._hash

    def __bool__(self) -> bool:
        raise TypeError("a symbolic size is neither true nor false")

    def __str__(self) -> str:
        texts: dict[int, str] = {}
        for serial in _order(self):
            texts[serial] = _atom_text(_ATOMS[serial], texts)
        return _text(self.terms, texts)

    def __repr__(self) -> str:
        return f"Dim({self})"

    @property
    def symbols(self) -> frozenset[str]:
        """Return the names of the symbols this size depends on."""
        return frozenset(s for m in self.terms for serial in m for s in _ATOMS[serial].growth)

    def at(self, sizes: Mapping[str, Size]) -> Size:
        """Return this size with `sizes` put in for symbols; other symbols stay."""
        values: dict[int, Size] = {}
        for serial in _order(self):
            atom = _ATOMS[serial]
            if atom.kind == "symbol":
                values[serial] = sizes.get(atom.name, Dim({(serial,): 1}))
                continue
            args = [_value(arg, values) for arg in atom.args]
            values[serial] = args[0] // args[1] if atom.kind == "//" else _extreme(atom.kind, args)
        return _value(self, values)


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


def symbol(name: str) -> Dim:
    """Return the size called `name`."""
    return Dim({(_intern("symbol", (), ("symbol", name), name),): 1})


def ceil_div(a: Size, b: Size) -> Size:
    """Return a / b rounded up; `b` is positive."""
    return (a + b - 1) // b


def minimum(*sizes: Size) -> Size:
    """Return the smallest of `sizes`."""
    return _extreme("min", sizes)


def maximum(*sizes: Size) -> Size:
    """Return the largest of `sizes`."""
    return _extreme("max", sizes)


def product(sizes: Iterable[Size]) -> Size:
    """Return the product of `sizes`, 1 for none."""
    total: Size = 1
    for size in sizes:
        total = total * size
    return total


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
    if not holds(low) and all(map(_rises, shared)):
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
    rest = [
        f for f in dims if low and not (_rises(f) and _condition([f], [*low])((*low.values(),)))
    ]
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


class _Atom:
    __slots__ = ("args", "growth", "kind", "name", "rising")

    def __init__(self, kind: str, args: tuple[Size, ...], name: str) -> None:
        self.kind = kind
        self.args = args
        self.name = name
        # Per symbol (period, degree): within a residue class modulo the period the atom is a
        # polynomial of that degree with integer coefficients. Wrong for min, max and a symbolic
        # divisor, which `_smooth` tells apart.
        self.growth: dict[str, tuple[int, int]] = {name: (1, 1)} if kind == "symbol" else {}
        scale = args[1] if kind == "//" and isinstance(args[1], int) else 1
        for arg in args:
            for key, (period, degree) in _growth(arg).items():
                had, most = self.growth.get(key, (1, 0))
                self.growth[key] = lcm(had, period * scale), max(most, degree)
        # Never negative and never falling, while every symbol is at least 1.
        self.rising = all(_rises(arg) and _terms(arg).get((), 0) >= 0 for arg in args)
        self.rising = self.rising and (kind != "//" or isinstance(args[1], int))


_ATOMS: dict[int, _Atom] = {}
_SERIALS: dict[tuple[object, ...], int] = {}
_NEXT = count()


def _intern(kind: str, args: tuple[Size, ...], key: tuple[object, ...], name: str = "") -> int:
    serial = _SERIALS.get(key)
    if serial is None:
        serial = next(_NEXT)
        _ATOMS[serial] = _Atom(kind, args, name)
        serial = _SERIALS.setdefault(key, serial)
    return serial


def _accumulate(terms: Terms, monomial: Monomial, factor: int) -> None:
    total = terms.get(monomial, 0) + factor
    if total:
        terms[monomial] = total
    else:
        terms.pop(monomial, None)


def _size(terms: Terms) -> Size:
    if not terms or (len(terms) == 1 and () in terms):
        return terms.get((), 0)
    return Dim(terms)


def _terms(size: Size) -> Terms:
    return {(): size} if isinstance(size, int) else size.terms


def _opaque(terms: Terms) -> Dim:
    if len(terms) == 1 and all(len(m) == 1 for m in terms):
        return Dim(terms)
    args: tuple[Size, ...] = (Dim(terms), 1)
    return Dim({(_intern("//", args, ("//", *args)),): 1})


def _floor(terms: Terms, divisor: int) -> Size:
    """Return terms // divisor: whole multiples taken out, common factors and nesting removed."""
    if divisor == 0:
        raise ZeroDivisionError("a size divided by zero")
    if divisor < 0:
        terms, divisor = {m: -c for m, c in terms.items()}, -divisor
    whole: Terms = {}
    while True:
        rest: Terms = {}
        for monomial, factor in terms.items():
            quotient, remainder = divmod(factor, divisor)
            if quotient:
                _accumulate(whole, monomial, quotient)
            if remainder:
                rest[monomial] = remainder
        constant = rest.pop((), 0)
        if not rest:
            return _size(whole)
        common = gcd(divisor, *rest.values())
        divisor //= common
        terms = {m: c // common for m, c in rest.items()}
        _accumulate(terms, (), constant // common)
        inner = [m for m in terms if terms[m] == len(m) == 1 and _ATOMS[m[0]].kind == "//"]
        inner = [m for m in inner if isinstance(_ATOMS[m[0]].args[1], int)]
        if len(inner) != 1:
            break
        numerator, scale = _ATOMS[inner[0][0]].args
        del terms[inner[0]]
        lifted = numerator + scale * _size(terms)
        assert isinstance(scale, int)
        terms, divisor = _terms(lifted), divisor * scale
    args: tuple[Size, ...] = (Dim(terms), divisor)
    _accumulate(whole, (_intern("//", args, ("//", *args)),), 1)
    return _size(whole)


def _quotient(a: Size, b: Dim) -> Size:
    """Return a // b for a symbolic `b`, which is taken not to be 0."""
    rest = _terms(a)
    whole = _exact_quotient(rest, b.terms)
    if whole is not None:
        return _size(whole)
    whole = {}
    if len(b.terms) == 1:
        ((shared, scale),) = b.terms.items()
        left: Terms = {}
        for monomial, factor in rest.items():
            quotient = _without(monomial, shared)
            times, remainder = divmod(factor, scale) if quotient is not None else (0, factor)
            if times and quotient is not None:
                _accumulate(whole, quotient, times)
            if remainder:
                left[monomial] = remainder
        rest = left
    common = _common([*rest, *b.terms])
    factor = gcd(*rest.values(), *b.terms.values())
    numerator, divisor = (
        _size({_without(m, common) or (): c // factor for m, c in terms.items()})
        for terms in (rest, b.terms)
    )
    if isinstance(divisor, int):
        return _size(whole) + numerator // divisor
    args = (numerator, divisor)
    return _size(whole) + Dim({(_intern("//", args, ("//", *args)),): 1})


def _exact_quotient(rest: Terms, divisor: Terms) -> Terms | None:
    """Divide polynomials by their leading terms; None where a remainder is left."""
    lead = max(divisor, key=lambda m: (len(m), m))
    rest = rest.copy()
    whole: Terms = {}
    while rest:
        top = max(rest, key=lambda m: (len(m), m))
        monomial = _without(top, lead)
        if monomial is None or rest[top] % divisor[lead] or len(whole) > _MAX_TERMS:
            return None
        whole[monomial] = factor = rest[top] // divisor[lead]
        for other, c in divisor.items():
            _accumulate(rest, tuple(sorted(monomial + other)), -factor * c)
    return whole


def _without(monomial: Monomial, factor: Monomial) -> Monomial | None:
    left = list(monomial)
    for serial in factor:
        if serial not in left:
            return None
        left.remove(serial)
    return tuple(left)


def _common(monomials: Sequence[Monomial]) -> Monomial:
    common: list[int] = []
    for serial in sorted(set(monomials[0])):
        common += [serial] * min(m.count(serial) for m in monomials)
    return tuple(common)


def _extreme(kind: str, sizes: Sequence[Size]) -> Size:
    pick = min if kind == "min" else max
    if all(isinstance(size, int) for size in sizes):
        return pick(sizes)  # type: ignore[type-var]
    flat: list[Size] = []
    for size in sizes:
        atom, offset = _lone(size, kind)
        flat += [arg + offset for arg in atom.args] if atom else [size]
    kept: list[Size] = []
    for size in flat:
        gaps = [_gap(size, other) for other in kept]
        if any(gap is not None and pick(gap, 0) == 0 for gap in gaps):
            continue
        kept = [other for other, gap in zip(kept, gaps, strict=True) if gap is None]
        kept.append(size)
    if len(kept) == 1:
        return kept[0]
    offset = min(size if isinstance(size, int) else size.terms.get((), 0) for size in kept)
    args = tuple(size - offset for size in kept)
    return Dim({(_intern(kind, args, (kind, frozenset(args))),): 1}) + offset


def _lone(size: Size, kind: str) -> tuple[_Atom | None, int]:
    """Return the atom of `kind` and the constant of which `size` is the sum, if it is one."""
    if isinstance(size, Dim):
        found = [m for m in size.terms if m]
        if len(found) == 1 and size.terms[found[0]] == len(found[0]) == 1:
            atom = _ATOMS[found[0][0]]
            return (atom if atom.kind == kind else None), size.terms.get((), 0)
    return None, 0


def _gap(a: Size, b: Size) -> int | None:
    """Return a number of the sign of a - b where that never changes."""
    (over_a, p), (over_b, q) = _fraction(a), _fraction(b)
    gap = over_a * (lcm(p, q) // p) - over_b * (lcm(p, q) // q)
    return gap if isinstance(gap, int) else None


def _fraction(size: Size) -> tuple[Size, int]:
    """Return (x, d) with size = x // d."""
    if isinstance(size, Dim):
        for monomial, factor in size.terms.items():
            if factor == len(monomial) == 1 and _ATOMS[monomial[0]].kind == "//":
                numerator, divisor = _ATOMS[monomial[0]].args
                if isinstance(divisor, int):
                    return (size - Dim({monomial: 1})) * divisor + numerator, divisor
    return size, 1


def _order(size: Size) -> list[int]:
    """Return the atoms inside `size`, each after those it is made of."""
    seen: set[int] = set()
    stack: list[Size] = [size]
    while stack:
        top = stack.pop()
        for monomial in top.terms if isinstance(top, Dim) else ():
            for serial in monomial:
                if serial not in seen:
                    seen.add(serial)
                    stack += _ATOMS[serial].args
    return sorted(seen)


def _value(size: Size, values: Mapping[int, Size]) -> Size:
    if isinstance(size, int):
        return size
    total: Size = 0
    for monomial, factor in size.terms.items():
        total = total + product([factor, *(values[serial] for serial in monomial)])
    return total


def _text(terms: Terms, texts: Mapping[int, str]) -> str:
    parts = []
    for monomial, factor in terms.items():
        names = sorted((_ATOMS[s].kind != "symbol", texts[s]) for s in monomial)
        factors = [str(abs(factor))] if abs(factor) != 1 or not names else []
        text = "*".join([*factors, *(name for _, name in names)])
        parts.append((factor < 0, not monomial, -len(monomial), names, text))
    joined = "".join(("-" if part[0] else "+") + part[-1] for part in sorted(parts))
    text = joined.removeprefix("+")
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT // 2] + "..."


def _atom_text(atom: _Atom, texts: Mapping[int, str]) -> str:
    if atom.kind == "symbol":
        return atom.name
    terms = [_terms(arg) for arg in atom.args]
    if atom.kind != "//":
        return f"{atom.kind}({', '.join(sorted(_text(arg, texts) for arg in terms))})"
    above, below = terms
    name, divisor = "floor", atom.args[1]
    if divisor == 1:
        return f"({_text(above, texts)})"
    if isinstance(divisor, int) and above.get((), 0) == divisor - 1:
        name, above = "ceil", {m: c for m, c in above.items() if m}
    over, under = _text(above, texts), _text(below, texts)
    over = f"({over})" if len(above) > 1 else over
    return f"{name}({over}/{under})" if under.isalnum() else f"{name}({over}/({under}))"


def _growth(size: Size) -> dict[str, tuple[int, int]]:
    growth: dict[str, tuple[int, int]] = {}
    for monomial in size.terms if isinstance(size, Dim) else ():
        degrees: dict[str, int] = {}
        for serial in monomial:
            for name, (period, degree) in _ATOMS[serial].growth.items():
                degrees[name] = degrees.get(name, 0) + degree
                had, most = growth.get(name, (1, 0))
                growth[name] = lcm(had, period), max(most, degrees[name])
    return growth


def _rises(size: Size) -> bool:
    if isinstance(size, int):
        return True
    return all(not m or (c > 0 and all(_ATOMS[s].rising for s in m)) for m, c in size.terms.items())


def _smooth(size: Size, kinds: tuple[str, ...] = ("symbol", "//")) -> bool:
    atoms = [_ATOMS[serial] for serial in _order(size)]
    return all(a.kind in kinds and (a.kind != "//" or isinstance(a.args[1], int)) for a in atoms)


def _compile(size: Size, names: Sequence[str]) -> Callable[[Point], int]:
    order = _order(size)
    slots = {serial: slot for slot, serial in enumerate(order)}

    def plan(size: Size) -> list[tuple[int, Point]]:
        return [(c, tuple(slots[s] for s in m)) for m, c in _terms(size).items()]

    atoms = [_ATOMS[serial] for serial in order]
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
        least = _first(lambda n, holds=holds: holds((n,)), all(map(_rises, own)))  # type: ignore[misc]
        if least is None:
            return None
        sizes[name] = least
    return sizes


def _weight(sizes: Iterable[Size]) -> int:
    """Return how much there is to compute for one value of each of `sizes`."""
    atoms = {serial for size in sizes for serial in _order(size)}
    return 10 + sum(len(_terms(arg)) for serial in atoms for arg in _ATOMS[serial].args)


def _reach(symbols: int, sizes: Iterable[Size]) -> int:
    """Return the side of the largest block of points that is quick to try."""
    return max(2, int((_MAX_WORK // _weight(sizes)) ** (1 / symbols)))


def _core(gap: Dim) -> Size:
    """Return `gap` without the factors that are never 0."""
    common = tuple(s for s in _common([*gap.terms]) if _ATOMS[s].kind == "symbol")
    factor = gcd(*gap.terms.values())
    return _size({_without(m, common) or (): c // factor for m, c in gap.terms.items()})


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
    period, degree = _growth(size)[name]
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
    if not _smooth(core, ("symbol", "//", "min", "max")):
        return None
    for atom in (_ATOMS[serial] for serial in _order(core)):
        for first, second in grid(atom.args, repeat=2) if atom.kind in ("min", "max") else ():
            gap = first - second
            if isinstance(gap, Dim):
                settled = _follow(gap, name, start) if _smooth(gap) else None
                if settled is None:
                    return None
                start = max(start, settled.start)
    line = _follow(core, name, start)
    if line is None or start - low > _MAX_STEPS:
        return None
    program, zeros = _compile(core, [name]), set(line.zeros)
    equal = [x for x in range(low, start) if not program((x,))] + sorted(line.roots)
    reach = range(start, start + line.period * (_growth(core)[name][1] + 1))
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
    growth = _growth(core)
    periods = [growth.get(name, (1, 0))[0] for name in names]
    shape = [growth.get(name, (1, 0))[1] + 1 for name in names]
    sides = [period * extent for period, extent in zip(periods, shape, strict=True)]
    exact = _smooth(core) and prod(sides) <= _MAX_WORK // _weight([core])
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
    above = _size({m: c for m, c in core.terms.items() if c > 0})
    below = _size({m: -c for m, c in core.terms.items() if c < 0})
    left, right = sorted(map(str, (above, below)), key=lambda text: (text.isdigit(), text))
    return f"equal only where {left} is {right}"
