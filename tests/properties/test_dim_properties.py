"""Exact sizes against plain integers, on random expressions."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from netspec.compare import compare, smallest
from netspec.dim import Dim, ceil_div, maximum, minimum, product, symbol

NAMES = ("H", "N", "W")


class Expression:
    """One expression, as a function of the values of the three symbols."""

    def __init__(self, text, run):
        self.text = text
        self.run = run

    def __repr__(self):
        return self.text

    @property
    def size(self):
        return self.run(*map(symbol, NAMES))


def leaf(i):
    return Expression(NAMES[i], lambda *v: v[i])


def constant(c):
    return Expression(str(c), lambda *_: c)


OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "min": lambda a, b: minimum(a, b),
    "max": lambda a, b: maximum(a, b),
}
DIVISIONS = {
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "ceil": lambda a, b: ceil_div(a, b),
}


def combine(name, a, b, table):
    return Expression(f"({a} {name} {b})", lambda *v: table[name](a.run(*v), b.run(*v)))


def expressions(operations, symbols=3, leaves=8, quotients=False):
    base = st.one_of(st.integers(0, symbols - 1).map(leaf), st.integers(-6, 12).map(constant))

    def extend(children):
        below = children if quotients else st.integers(1, 7).map(constant)
        return st.one_of(
            st.builds(
                combine, st.sampled_from(operations), children, children, st.just(OPERATIONS)
            ),
            st.builds(combine, st.sampled_from([*DIVISIONS]), children, below, st.just(DIVISIONS)),
        )

    return st.recursive(base, extend, max_leaves=leaves)


ANY = expressions([*OPERATIONS])
SMOOTH = expressions(["+", "-"], symbols=2, leaves=6)
VALUES = st.tuples(*[st.integers(-9, 60)] * 3)


def at(size, values):
    return size.at(dict(zip(NAMES, values, strict=True))) if isinstance(size, Dim) else size


@settings(max_examples=400, deadline=None, derandomize=True)
@given(ANY, VALUES)
def test_a_dim_is_the_integer_expression(expression, values):
    assert at(expression.size, values) == expression.run(*values)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(expressions(["+", "-", "*"], quotients=True), st.tuples(*[st.integers(1, 60)] * 3))
def test_symbolic_divisors(expression, values):
    try:
        # A divisor that is not constant is taken not to be 0, and for ceil to be positive.
        expected = expression.run(*values)
        found = at(expression.size, values)
    except ZeroDivisionError:
        return
    assert found == expected


@settings(max_examples=200, deadline=None, derandomize=True)
@given(ANY, VALUES, st.integers(1, 20))
def test_substitution_in_steps(expression, values, factor):
    size = expression.size
    if not isinstance(size, Dim):
        return
    partly = size.at({"H": factor * symbol("W"), "N": values[1]})
    assert at(partly, values) == expression.run(factor * values[2], values[1], values[2])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(ANY, ANY, st.lists(VALUES, min_size=1, max_size=5))
def test_equal_dims_are_equal_numbers(a, b, points):
    left, right = a.size, b.size
    assert (left == right) == (right == left)
    if left == right:
        assert hash(left) == hash(right)
        assert str(left) == str(right)
        assert all(a.run(*values) == b.run(*values) for values in points)
    assert left + right == right + left
    assert left * right == right * left
    assert left - right == -(right - left)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.integers(-20, 20),
    st.lists(st.tuples(st.integers(1, 7), st.integers(-9, 9)), min_size=1, max_size=5),
)
def test_nested_floors_are_one_floor(offset, steps):
    size, numerator, divisor = symbol("H"), symbol("H") + offset, 1
    size = size + offset
    for d, c in steps:
        size = (size + c) // d
        numerator, divisor = numerator + c * divisor, divisor * d
    assert size == numerator // divisor
    assert len([m for m in size.terms if m]) <= 2


def check(a, b, fits, limit):
    left, right = a.size, b.size
    found = compare(left, right, [fit.size for fit in fits])
    names = sorted({n for s in (left, right) if isinstance(s, Dim) for n in s.symbols})

    def value(expression, point):
        given_sizes = dict.fromkeys(NAMES, 1000) | dict(zip(names, point, strict=True))
        return expression.run(*(given_sizes[name] for name in NAMES))

    inside = [
        point
        for point in itertools.product(range(1, limit + 1), repeat=len(names))
        if all(value(fit, point) >= 1 for fit in fits)
    ]
    inside.sort(key=lambda point: (max(point, default=0), point))
    equal = [point for point in inside if value(a, point) == value(b, point)]
    unequal = [point for point in inside if point not in set(equal)]
    assert not (found.always and unequal)
    assert not (found.never and equal)
    for wanted, claimed in ((unequal, found.counterexample), (equal, found.example)):
        if claimed:
            point = tuple(claimed[name] for name in names)
            assert (value(a, point) == value(b, point)) == (wanted is equal)
            if max(point) <= limit:
                assert point == wanted[0]
        if wanted and left != right:
            assert claimed is not None
    assert isinstance(found.when, str)
    return found


@settings(max_examples=250, deadline=None, derandomize=True)
@given(SMOOTH, SMOOTH)
def test_compare_agrees_with_counting(a, b):
    check(a, b, (), 24)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(*[expressions(["+", "-", "*", "min", "max"], symbols=1, leaves=6)] * 2)
def test_compare_in_one_symbol_is_exact_and_smallest(a, b):
    check(a, b, (), 150)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(SMOOTH, st.integers(1, 5), st.integers(1, 12))
def test_compare_starts_where_all_fits(a, divisor, low):
    fits = [
        Expression("fit", lambda *v: v[0] // divisor - low + 1),
        Expression("fit", lambda *v: v[1] - low + 1),
    ]
    check(a, combine("//", combine("+", a, leaf(0), OPERATIONS), constant(2), DIVISIONS), fits, 24)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(expressions(["+", "-"], symbols=1, leaves=5), min_size=1, max_size=3))
def test_smallest_is_smallest(fits):
    sizes = [fit.size for fit in fits]
    found = smallest(sizes)
    works = [n for n in range(1, 300) if all(fit.run(n, 1, 1) >= 1 for fit in fits)]
    if found is None:
        assert not works
    elif any(isinstance(size, Dim) for size in sizes):
        assert (works or [found["H"]])[0] == found["H"]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(ANY, max_size=4), VALUES)
def test_product_and_text(parts, values):
    sizes = [part.size for part in parts]
    whole = product(sizes)
    expected = 1
    for part in parts:
        expected *= part.run(*values)
    assert at(whole, values) == expected
    assert str(whole) == str(product(reversed(sizes)))
