"""Expressions agree with exact arithmetic, and no text makes them fail in another way."""

import math
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from netspec.evaluation import Budget, evaluate, substitute
from netspec.expression import ExpressionError, has_variables, parse, size
from tests.texts import work

INTEGERS = st.integers(0, 10_000)
NAMES = {"a": 7, "b": -3, "c": 0, "t": True, "s": "text", "m": {"k": 1}, "l": [1, 2.5, "x", None]}


def joined(children):
    pairs = st.tuples(children, st.sampled_from(["+", "-", "*", "//", "%"]), children)
    return pairs.map(lambda p: (f"({p[0][0]} {p[1]} {p[2][0]})", apply(p[1], p[0][1], p[2][1])))


def apply(op, left, right):
    if left is None or right is None or (op in {"//", "%"} and right == 0):
        return None
    value = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "//": lambda: left // right,
        "%": lambda: left % right,
    }[op]()
    return value if value.bit_length() <= 63 else None


def negated(children):
    return children.map(lambda p: (f"-{p[0]}", None if p[1] is None else -p[1]))


SUMS = st.recursive(
    INTEGERS.map(lambda n: (str(n), n)), lambda c: joined(c) | negated(c), max_leaves=12
)


def value_of(text):
    try:
        return evaluate(parse(text), {}, Budget())
    except ExpressionError as error:
        assert 0 <= error.start <= error.end <= len(text)
        assert error.code.id in {"E301", "E302"}
        return None


@given(SUMS)
def test_integers_are_those_of_python(pair):
    text, expected = pair
    assert value_of(text) == expected


@given(st.lists(st.tuples(st.sampled_from(["+", "-", "*"]), INTEGERS), max_size=12), INTEGERS)
def test_precedence_is_that_of_python(tail, first):
    text = str(first) + "".join(f" {op} {n}" for op, n in tail)
    terms, sign = [first], [1]
    for op, number in tail:
        if op == "*":
            terms[-1] *= number
        else:
            terms.append(number)
            sign.append(1 if op == "+" else -1)
    expected = sum(s * t for s, t in zip(sign, terms, strict=True))
    found = value_of(text)
    assert found == expected or (found is None and max(map(abs, terms)) >= 1 << 62)


BIG = st.integers(-(2**63) + 1, 2**63 - 1)


@given(BIG, BIG.filter(bool))
def test_rounded_quotients_are_exact(top, bottom):
    exact = Fraction(top, bottom)
    meanings = {"floor": math.floor, "ceil": math.ceil, "int": math.trunc, "round": round}
    for name, meaning in meanings.items():
        assert value_of(f"{name}({top}/{bottom})") == meaning(exact)
    found = value_of(f"{top}/{bottom}")
    assert (type(found) is int) == (exact.denominator == 1)
    assert found == (exact if exact.denominator == 1 else top / bottom)


@given(st.floats(-1e15, 1e15))
def test_rounded_floats_are_those_of_python(number):
    names = {"x": number}
    meanings = {"floor": math.floor, "ceil": math.ceil, "int": int, "round": round}
    for name, meaning in meanings.items():
        assert evaluate(parse(f"{name}(x)"), names, Budget()) == meaning(number)


@given(INTEGERS, st.integers(1, 99), st.integers(0, 99))
def test_sizes_are_exact(top, bottom, more):
    exact = Fraction(top, bottom) + more
    assert size(f"floor({top}/{bottom} + {more})") == math.floor(exact)
    assert size(f"ceil({more} + {top}/{bottom})") == math.ceil(exact)
    assert size(f"{top}//{bottom}*{bottom} + {top} % {bottom}") == top


PIECES = st.sampled_from(
    [
        "a",
        "b",
        "c",
        "t",
        "s",
        "m",
        "l",
        "z",
        "1",
        "0",
        "2.5",
        "1e9",
        "1e308",
        "'q'",
        '"r"',
        "true",
        "null",
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "**",
        "<",
        "==",
        "!=",
        "in",
        "not",
        "and",
        "or",
        "if",
        "else",
        "(",
        ")",
        "[",
        "]",
        ",",
        "min(",
        "max(",
        "abs(",
        "round(",
        "floor(",
        "ceil(",
        "int(",
        "len(",
        "${",
        "}",
        "$",
        "$$",
        "$a",
        ".",
        ":",
        "=",
        "!",
        "é",
        "\uff13",
        "\n",
        "9223372036854775807",
    ]
)
GARBAGE = st.text(max_size=60) | st.lists(PIECES, max_size=40).map(" ".join)


@settings(max_examples=400, derandomize=True)
@given(GARBAGE)
def test_any_text_has_a_value_or_an_error_with_a_place(text):
    def attempts():
        for attempt in (
            lambda: evaluate(parse(text), NAMES, Budget()),
            lambda: substitute(text, NAMES, Budget()),
            lambda: substitute("x${" + text + "}", NAMES, Budget()),
        ):
            try:
                attempt()
            except ExpressionError as error:
                assert error.code.id in {"E300", "E301", "E302", "E303"}
                assert 0 <= error.start <= error.end <= len(text) + 4

    assert work(attempts) < 30_000


@given(st.text(max_size=60))
def test_doubled_dollars_are_the_text_itself(text):
    doubled = text.replace("$", "$$")
    assert not has_variables(doubled)
    assert substitute(doubled, {}, Budget()) == text


@given(st.text(alphabet="ab${}$'\" 1+", max_size=30))
def test_a_text_without_variables_reads_none(text):
    if not has_variables(text):
        assert isinstance(substitute(text, {}, Budget()), str)
