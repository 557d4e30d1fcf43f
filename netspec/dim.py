"""Dim: exact symbolic sizes with floor and ceil."""

from __future__ import annotations

from itertools import count
from math import gcd, lcm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TypeAlias

    Size: TypeAlias = "int | Dim"
    Monomial: TypeAlias = tuple[int, ...]
    Terms: TypeAlias = dict[Monomial, int]
    Point: TypeAlias = tuple[int, ...]

# Past these a polynomial is wrapped into one opaque atom, so that no chain of layers explodes.
_MAX_TERMS = 400
_MAX_DEGREE = 16
_MAX_TEXT = 240


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
        return from_terms(terms) if len(terms) <= _MAX_TERMS else _opaque(long) + Dim(short)

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
        return from_terms(terms)

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
        for serial in atoms_of(self):
            texts[serial] = _atom_text(ATOMS[serial], texts)
        return _text(self.terms, texts)

    def __repr__(self) -> str:
        return f"Dim({self})"

    @property
    def symbols(self) -> frozenset[str]:
        """Return the names of the symbols this size depends on."""
        return frozenset(s for m in self.terms for serial in m for s in ATOMS[serial].growth)

    def at(self, sizes: Mapping[str, Size]) -> Size:
        """Return this size with `sizes` put in for symbols; other symbols stay.

        What is divided by 0 becomes 0: at such sizes some extent is 0, and the net does not fit.
        """
        values: dict[int, Size] = {}
        for serial in atoms_of(self):
            atom = ATOMS[serial]
            if atom.kind == "symbol":
                values[serial] = sizes.get(atom.name, Dim({(serial,): 1}))
                continue
            args = [_value(arg, values) for arg in atom.args]
            if atom.kind == "//":
                values[serial] = args[0] // args[1] if args[1] != 0 else 0
            else:
                values[serial] = _extreme(atom.kind, args)
        return _value(self, values)


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


class Atom:
    """A factor of a monomial: a symbol, or a quotient, minimum or maximum of sizes."""

    __slots__ = ("args", "growth", "kind", "name", "rising")

    def __init__(self, kind: str, args: tuple[Size, ...], name: str) -> None:
        self.kind = kind
        self.args = args
        self.name = name
        # Per symbol (period, degree): within a residue class modulo the period the atom is a
        # polynomial of that degree with integer coefficients. Wrong for min, max and a symbolic
        # divisor, which `smooth` tells apart.
        self.growth: dict[str, tuple[int, int]] = {name: (1, 1)} if kind == "symbol" else {}
        scale = args[1] if kind == "//" and isinstance(args[1], int) else 1
        for arg in args:
            for key, (period, degree) in growth_of(arg).items():
                had, most = self.growth.get(key, (1, 0))
                self.growth[key] = lcm(had, period * scale), max(most, degree)
        # Never negative and never falling, while every symbol is at least 1.
        self.rising = all(rises(arg) and terms_of(arg).get((), 0) >= 0 for arg in args)
        self.rising = self.rising and (kind != "//" or isinstance(args[1], int))


ATOMS: dict[int, Atom] = {}
_SERIALS: dict[tuple[object, ...], int] = {}
_NEXT = count()


def _intern(kind: str, args: tuple[Size, ...], key: tuple[object, ...], name: str = "") -> int:
    serial = _SERIALS.get(key)
    if serial is None:
        serial = next(_NEXT)
        ATOMS[serial] = Atom(kind, args, name)
        serial = _SERIALS.setdefault(key, serial)
    return serial


def _accumulate(terms: Terms, monomial: Monomial, factor: int) -> None:
    total = terms.get(monomial, 0) + factor
    if total:
        terms[monomial] = total
    else:
        terms.pop(monomial, None)


def from_terms(terms: Terms) -> Size:
    """Return the size of a polynomial: an int where it is constant."""
    if not terms or (len(terms) == 1 and () in terms):
        return terms.get((), 0)
    return Dim(terms)


def terms_of(size: Size) -> Terms:
    """Return the polynomial of a size."""
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
            return from_terms(whole)
        common = gcd(divisor, *rest.values())
        divisor //= common
        terms = {m: c // common for m, c in rest.items()}
        _accumulate(terms, (), constant // common)
        inner = [m for m in terms if terms[m] == len(m) == 1 and ATOMS[m[0]].kind == "//"]
        inner = [m for m in inner if isinstance(ATOMS[m[0]].args[1], int)]
        if len(inner) != 1:
            break
        numerator, scale = ATOMS[inner[0][0]].args
        del terms[inner[0]]
        lifted = numerator + scale * from_terms(terms)
        assert isinstance(scale, int)
        terms, divisor = terms_of(lifted), divisor * scale
    args: tuple[Size, ...] = (Dim(terms), divisor)
    _accumulate(whole, (_intern("//", args, ("//", *args)),), 1)
    return from_terms(whole)


def _quotient(a: Size, b: Dim) -> Size:
    """Return a // b for a symbolic `b`, which is taken not to be 0."""
    rest = terms_of(a)
    whole = _exact_quotient(rest, b.terms)
    if whole is not None:
        return from_terms(whole)
    whole = {}
    if len(b.terms) == 1:
        ((shared, scale),) = b.terms.items()
        left: Terms = {}
        for monomial, factor in rest.items():
            quotient = without(monomial, shared)
            times, remainder = divmod(factor, scale) if quotient is not None else (0, factor)
            if times and quotient is not None:
                _accumulate(whole, quotient, times)
            if remainder:
                left[monomial] = remainder
        rest = left
    common = common_factor([*rest, *b.terms])
    factor = gcd(*rest.values(), *b.terms.values())
    numerator, divisor = (
        from_terms({without(m, common) or (): c // factor for m, c in terms.items()})
        for terms in (rest, b.terms)
    )
    if isinstance(divisor, int):
        return from_terms(whole) + numerator // divisor
    args = (numerator, divisor)
    return from_terms(whole) + Dim({(_intern("//", args, ("//", *args)),): 1})


def _exact_quotient(rest: Terms, divisor: Terms) -> Terms | None:
    """Divide polynomials by their leading terms; None where a remainder is left."""
    lead = max(divisor, key=lambda m: (len(m), m))
    rest = rest.copy()
    whole: Terms = {}
    while rest:
        top = max(rest, key=lambda m: (len(m), m))
        monomial = without(top, lead)
        if monomial is None or rest[top] % divisor[lead] or len(whole) > _MAX_TERMS:
            return None
        whole[monomial] = factor = rest[top] // divisor[lead]
        for other, c in divisor.items():
            _accumulate(rest, tuple(sorted(monomial + other)), -factor * c)
    return whole


def without(monomial: Monomial, factor: Monomial) -> Monomial | None:
    """Return a monomial divided by another; None where it does not divide."""
    left = list(monomial)
    for serial in factor:
        if serial not in left:
            return None
        left.remove(serial)
    return tuple(left)


def common_factor(monomials: Sequence[Monomial]) -> Monomial:
    """Return the greatest monomial that divides them all."""
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


def _lone(size: Size, kind: str) -> tuple[Atom | None, int]:
    """Return the atom of `kind` and the constant of which `size` is the sum, if it is one."""
    if isinstance(size, Dim):
        found = [m for m in size.terms if m]
        if len(found) == 1 and size.terms[found[0]] == len(found[0]) == 1:
            atom = ATOMS[found[0][0]]
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
            if factor == len(monomial) == 1 and ATOMS[monomial[0]].kind == "//":
                numerator, divisor = ATOMS[monomial[0]].args
                if isinstance(divisor, int):
                    return (size - Dim({monomial: 1})) * divisor + numerator, divisor
    return size, 1


def atoms_of(size: Size) -> list[int]:
    """Return the atoms inside `size`, each after those it is made of."""
    seen: set[int] = set()
    stack: list[Size] = [size]
    while stack:
        top = stack.pop()
        for monomial in top.terms if isinstance(top, Dim) else ():
            for serial in monomial:
                if serial not in seen:
                    seen.add(serial)
                    stack += ATOMS[serial].args
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
        names = sorted((ATOMS[s].kind != "symbol", texts[s]) for s in monomial)
        factors = [str(abs(factor))] if abs(factor) != 1 or not names else []
        text = "*".join([*factors, *(name for _, name in names)])
        parts.append((factor < 0, not monomial, -len(monomial), names, text))
    joined = "".join(("-" if part[0] else "+") + part[-1] for part in sorted(parts))
    text = joined.removeprefix("+")
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT // 2] + "..."


def _atom_text(atom: Atom, texts: Mapping[int, str]) -> str:
    if atom.kind == "symbol":
        return atom.name
    terms = [terms_of(arg) for arg in atom.args]
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


def growth_of(size: Size) -> dict[str, tuple[int, int]]:
    """Return the period and the degree of a size in each symbol."""
    growth: dict[str, tuple[int, int]] = {}
    for monomial in size.terms if isinstance(size, Dim) else ():
        degrees: dict[str, int] = {}
        for serial in monomial:
            for name, (period, degree) in ATOMS[serial].growth.items():
                degrees[name] = degrees.get(name, 0) + degree
                had, most = growth.get(name, (1, 0))
                growth[name] = lcm(had, period), max(most, degrees[name])
    return growth


def rises(size: Size) -> bool:
    """Return whether a size never falls as a symbol grows."""
    if isinstance(size, int):
        return True
    return all(not m or (c > 0 and all(ATOMS[s].rising for s in m)) for m, c in size.terms.items())


def smooth(size: Size, kinds: tuple[str, ...] = ("symbol", "//")) -> bool:
    """Return whether a size is a polynomial within every residue class."""
    atoms = [ATOMS[serial] for serial in atoms_of(size)]
    return all(a.kind in kinds and (a.kind != "//" or isinstance(a.args[1], int)) for a in atoms)
