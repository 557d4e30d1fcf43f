"""Expressions: values, errors with their exact places, templates and sizes."""

import ast
from pathlib import Path

import pytest

from netspec import dim, evaluation, expression
from netspec.evaluation import Budget, evaluate, substitute
from netspec.expression import ExpressionError, has_variables, parse, size, variables
from tests.texts import ends, grows, work

NAMES = {
    "x": 2,
    "yes": True,
    "no": False,
    "nothing": None,
    "depth": [3, 4, 6, 3],
    "kind": "bottleneck",
    "plan": {"k": 3, "deep": {"a": [7]}},
    "inf": float("inf"),
    "nan": float("nan"),
    "huge": 2**63,
    "long": "a" * 900_000,
}

VALUES = [
    ("1", 1),
    ("010", 10),
    ("1e-3", 0.001),
    (".5", 0.5),
    ("2.", 2.0),
    ("'a}b'", "a}b"),
    ('"it\'s"', "it's"),
    ("true", True),
    ("False", False),
    ("null", None),
    ("None", None),
    ("9223372036854775807", 2**63 - 1),
    ("1 + 2 * 3", 7),
    ("(1 + 2) * 3", 9),
    ("10 - 3 - 2", 5),
    ("-2 ** 2", -4),
    ("2 ** -1", 0.5),
    ("2 ** 3 ** 2", 512),
    ("2 ** 62", 2**62),
    ("0 ** 0", 1),
    ("(-8.0) ** 2.0", 64.0),
    ("6 / 2", 3),
    ("7 / 2", 3.5),
    ("6.0 / 2", 3.0),
    ("9223372036854775807 / 1", 2**63 - 1),
    ("-7 // 2", -4),
    ("-7 % 3", 2),
    ("7 % -3", -2),
    ("7.5 // 2", 3.0),
    ("round(0.5)", 0),
    ("round(1.5)", 2),
    ("round(2.5)", 2),
    ("round(-0.5)", 0),
    ("round(-1.5)", -2),
    ("round(7/2)", 4),
    ("round(5/2)", 2),
    ("floor(-7/2)", -4),
    ("ceil(-7/2)", -3),
    ("int(-7/2)", -3),
    ("int(7/-2)", -3),
    ("int(-0.9)", 0),
    ("int(-4)", -4),
    ("floor(9223372036854775807/2)", (2**63 - 1) // 2),
    ("ceil(9223372036854775807/2)", 2**62),
    ("int(9223372036854775805/3 )", (2**63 - 3) // 3),
    ("floor(2.5)", 2),
    ("ceil(2.5)", 3),
    ("abs(-2.5)", 2.5),
    ("min(3, 1, 2)", 1),
    ("max(depth)", 6),
    ("min(1, 1.5)", 1),
    ("len(depth) + len('ab') + len(plan)", 8),
    ("[]", []),
    ("[1, 'a', [x]]", [1, "a", [2]]),
    ("[1] + depth", [1, 3, 4, 6, 3]),
    ("depth[0] + depth[-1]", 6),
    ("[1, 2][1]", 2),
    ("plan['k']", 3),
    ("plan['deep']['a'][0]", 7),
    ("'a' + \"b\"", "ab"),
    ("1 < 2 < 3", True),
    ("1 < x < 2", False),
    ("3 < 2 < 1/0", False),
    ("1 == 1.0", True),
    ("1 == '1'", False),
    ("1 != '1'", True),
    ("true == 1", False),
    ("[true] == [1]", False),
    ("[1, [2]] == [1.0, [2]]", True),
    ("[1] == [1, 2]", False),
    ("plan == plan", True),
    ("nothing == null", True),
    ("nothing == 0", False),
    ("'a' < 'b'", True),
    ("2 >= 2 and 2 <= 2", True),
    ("3 in depth", True),
    ("true in [1]", False),
    ("5 not in depth", True),
    ("'neck' in kind", True),
    ("'k' in plan", True),
    ("not yes", False),
    ("not not yes", True),
    ("not 1 == 2", True),
    ("no and 1", False),
    ("yes or 1", True),
    ("no or yes and no", False),
    ("1 if yes else 1/0", 1),
    ("1/0 if no else 2", 2),
    ("1 if no else 2 if no else 3", 3),
    ("x == 2 and kind == 'bottleneck'", True),
    ("inf", float("inf")),
    ("1/3", 1 / 3),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_value(text, value):
    found = evaluate(parse(text), NAMES, Budget())
    assert found == value
    assert type(found) is type(value)


def deep(brackets):
    return "(" * brackets + "1" + ")" * brackets


# text, code, the place, and a part of the message
ERRORS = [
    # row 89
    ("__import__('os').system('x')", "E300", 0, 10, "`__import__` is none of min, max"),
    ("().__class__.__mro__", "E300", 1, 2, "expected a value, found `)`"),
    ('"{0.__class__}".format(x)', "E300", 15, 16, "attributes"),
    ("f'{x}'", "E300", 1, 6, "expected an operator"),
    ("lambda x: 1", "E300", 7, 8, "found `x`"),
    ("[i for i in x]", "E300", 3, 6, "found `for`"),
    ("(y := 1)", "E300", 3, 4, "`:`"),
    ("x.real", "E300", 1, 2, "attributes"),
    ("depth['a']", "E301", 6, 9, "an index is an integer, not 'a'"),
    # row 90
    ("9**9**9**9", "E302", 3, 10, "9 ** "),
    ("9**9**9", "E302", 0, 7, "9 ** 387420489"),
    ("1<<10**9", "E300", 2, 3, "found `<`"),
    ("2**10**8", "E302", 0, 8, "63 bits"),
    ("2**63", "E302", 0, 5, "63 bits"),
    ("3**62", "E302", 0, 5, "63 bits"),
    ("9223372036854775808", "E302", 0, 19, "63 bits"),
    ("9223372036854775807 + 1", "E302", 0, 23, "63 bits"),
    ("1 + 9223372036854775807 * 2", "E302", 4, 27, "63 bits"),
    ("floor(1e300)", "E302", 0, 12, "63 bits"),
    ("huge", "E302", 0, 4, "63 bits"),
    # row 91
    ('"a"*10**9', "E301", 0, 9, "`*` cannot take 'a' and 1000000000"),
    ("[0]*10**8", "E301", 0, 9, "`*` cannot take a list of 1"),
    ("2 * 'a'", "E301", 0, 7, "`*` cannot take 2 and 'a'"),
    ("'%s' % x", "E301", 0, 8, "`%` cannot take"),
    # row 92
    ("-" * 100_000, "E302", 1000, 100_000, "1,000 characters"),
    ("(" * 100_000, "E302", 1000, 100_000, "1,000 characters"),
    ("1+" * 100_000, "E302", 1000, 200_000, "1,000 characters"),
    ("not " * 100_000, "E302", 1000, 400_000, "1,000 characters"),
    ("-" * 999 + "1", "E302", 64, 65, "deep"),
    ("[" * 999, "E302", 64, 65, "deep"),
    ("not " * 200 + "yes", "E302", 256, 259, "deep"),
    ("1**" * 300 + "1", "E302", 192, 193, "deep"),
    ("1" + "+1" * 32, "E302", 0, 65, "32 operations deep"),
    (deep(64), "E302", 64, 65, "deep"),
    ("x" + "[0]" * 32, "E302", 0, 97, "32 operations deep"),
    # row 93
    ("1/0", "E301", 0, 3, "division by zero: 1 / 0"),
    ("4 + 1%0", "E301", 4, 7, "division by zero: 1 % 0"),
    ("1 // 0.0", "E301", 0, 8, "division by zero: 1 // 0.0"),
    ("floor(x/(1 - 1))", "E301", 6, 15, "division by zero: 2 / 0"),
    ("0**-1", "E301", 0, 5, "division by zero: 0 ** -1"),
    ("(-8)**0.5", "E301", 1, 9, "-8 ** 0.5 is not a real number"),
    ("1e308*10", "E301", 0, 8, "1e+308 * 10 is not a finite number"),
    ("10.0**999", "E301", 0, 9, "10.0 ** 999 is not a finite number"),
    ("1e999", "E301", 0, 5, "too large"),
    ("int(inf)", "E301", 4, 7, "finite number, not inf"),
    ("round(nan)", "E301", 6, 9, "finite number, not nan"),
    ("inf + 1", "E301", 0, 7, "cannot take inf and 1"),
    ("inf < 1", "E301", 0, 7, "cannot order inf and 1"),
    # row 95
    ("true + 1", "E301", 0, 8, "`+` cannot take true and 1"),
    ("-yes", "E301", 1, 4, "`-` takes a finite number, not true"),
    ('"3" + 3', "E301", 0, 7, "`+` cannot take '3' and 3"),
    ("[1] + 'a'", "E301", 0, 9, "`+` cannot take a list of 1 and 'a'"),
    ("null + null", "E301", 0, 11, "null"),
    ("1 < '1'", "E301", 0, 7, "`<` cannot order 1 and '1'"),
    ("1 < 2 < true", "E301", 4, 12, "`<` cannot order 2 and true"),
    ("1 in 2", "E301", 0, 6, "1 cannot be `in` 2"),
    ("1 in 'a'", "E301", 0, 8, "1 cannot be `in` 'a'"),
    ("1 and yes", "E301", 0, 1, "`and` takes true or false, not 1"),
    ("yes and 'a'", "E301", 8, 11, "`and` takes true or false, not 'a'"),
    ("no or null", "E301", 6, 10, "`or` takes true or false, not null"),
    ("not depth", "E301", 4, 9, "`not` takes true or false, not a list of 4"),
    ("1 if x else 2", "E301", 5, 6, "`if` takes true or false, not 2"),
    # row 96
    ("\uff13", "E300", 0, 1, "U+FF13"),
    ("1 + ٣", "E300", 4, 5, "U+0663"),
    ("n\u0430me", "E300", 1, 2, "U+0430"),
    ("x\u00a0+ 1", "E300", 1, 2, "U+00A0"),
    # indexing and calls
    ("depth[4]", "E301", 6, 7, "the index 4 is outside a list of 4"),
    ("depth[-5]", "E301", 6, 8, "the index -5 is outside a list of 4"),
    ("depth[yes]", "E301", 6, 9, "an index is an integer, not true"),
    ("depth[1.0]", "E301", 6, 9, "an index is an integer, not 1.0"),
    ("depth[1:2]", "E300", 7, 8, "`:`"),
    ("plan['z']", "E301", 5, 8, "no key 'z'"),
    ("plan[0]", "E301", 5, 6, "a key of a map is a text, not 0"),
    ("kind[0]", "E301", 0, 4, "has no items"),
    ("len(5)", "E301", 4, 5, "5 has no length"),
    ("len()", "E300", 0, 5, "`len` takes one argument, not 0"),
    ("round(1.5, 1)", "E300", 0, 13, "`round` takes one argument, not 2"),
    ("min([])", "E301", 0, 7, "empty list"),
    ("max(1, 'a')", "E301", 7, 10, "`max` takes a finite number, not 'a'"),
    ("abs('a')", "E301", 4, 7, "`abs` takes"),
    ("int('3')", "E301", 4, 7, "`int` takes a finite number, not '3'"),
    ("min", "E303", 0, 3, "min"),
    ("len(1)(2)", "E300", 6, 7, "expected an operator"),
    ("2 + widht", "E303", 4, 9, "widht"),
    # the form
    ("", "E300", 0, 0, "expected a value, found the end"),
    ("1 +", "E300", 3, 3, "expected a value, found the end"),
    ("1 2", "E300", 2, 3, "expected an operator, found `2`"),
    ("1_000", "E300", 1, 5, "found `_000`"),
    ("0x10", "E300", 1, 4, "found `x10`"),
    ("1.real", "E300", 2, 6, "found `real`"),
    ("(1", "E300", 2, 2, "expected `)`"),
    ("[1, 2", "E300", 5, 5, "expected `,` or `]`"),
    ("[1,]", "E300", 3, 4, "expected a value"),
    ("min(1 2)", "E300", 6, 7, "expected `,` or `)`"),
    ("1 if yes", "E300", 8, 8, "expected `else`"),
    ("x not 1", "E300", 6, 7, "expected `in`"),
    ("1 == not yes", "E300", 5, 8, "expected a value, found `not`"),
    ("x = 1", "E300", 2, 3, "`==`"),
    ("1 !", "E300", 2, 3, "`!`"),
    ("+1", "E300", 0, 1, "expected a value, found `+`"),
    ("'a", "E300", 0, 1, "not closed"),
    ("'a' 'b'", "E300", 4, 7, "expected an operator"),
    ("1\n+ 1", "E300", 1, 2, "not allowed"),
    ("x; y", "E300", 1, 2, "`;`"),
    ("{}", "E300", 0, 1, "`{`"),
]


def refusal(run, most=20_000):
    """Return the error that `run` ends in, after at most so many lines and calls."""
    raised = []

    def caught():
        with pytest.raises(ExpressionError) as error:
            run()
        raised.append(error.value)

    assert work(caught) < most
    return raised[0]


@pytest.mark.parametrize(("text", "code", "start", "end", "part"), ERRORS)
def test_error(text, code, start, end, part):
    error = refusal(lambda: evaluate(parse(text), NAMES, Budget()))
    assert (error.code.id, error.start, error.end) == (code, start, end)
    assert part in str(error)
    assert set(error.facts) <= ({"name", "hint"} if code == "E303" else {"problem"})


@pytest.mark.parametrize("text", [row[0] for row in ERRORS])
def test_no_message_is_cropped(text):
    with pytest.raises(ExpressionError) as caught:
        evaluate(parse(text), NAMES, Budget())
    assert len(str(caught.value)) <= 80  # where `show` crops


def test_an_undefined_name_brings_the_nearest_one():
    with pytest.raises(ExpressionError) as caught:
        evaluate(parse("widht"), {"width": 1}, Budget())
    assert caught.value.facts == {"name": "widht", "hint": "did you mean `width`?"}
    with pytest.raises(ExpressionError) as caught:
        evaluate(parse("zzz"), {"width": 1}, Budget())
    assert caught.value.facts == {"name": "zzz"}


def test_the_deepest_expression_has_a_value():
    assert evaluate(parse("1" + "+1" * 31), {}, Budget()) == 32
    assert evaluate(parse("-" * 31 + "1"), {}, Budget()) == -1
    assert evaluate(parse(deep(63)), {}, Budget()) == 1
    assert evaluate(parse("1" + " " * 999), {}, Budget()) == 1


def test_names_are_those_read():
    assert parse("a + min(b, c[d]) if e else 'f' == true").names == set("abcde")


def test_parsed_expressions_are_kept_within_a_bound(monkeypatch):
    monkeypatch.setattr(expression, "CACHED", 8)
    assert parse("1 + 41") is parse("1 + 41")
    for number in range(50):
        parse(f"{number} + 1")
    assert len(expression._parsed) <= 8


def test_a_name_is_looked_up_only_when_it_is_needed():
    asked = []

    class Lazy(dict):
        def __getitem__(self, name):
            asked.append(name)
            return super().__getitem__(name)

    names = Lazy(a=True, b=1, c=2)
    assert evaluate(parse("b if a else c"), names, Budget()) == 1
    assert asked == ["a", "b"]


def test_the_budget_is_shared_by_the_expressions_of_a_file():
    budget = Budget(10)
    for _ in range(3):
        evaluate(parse("1 + 2"), {}, budget)  # three steps each
    with pytest.raises(ExpressionError) as caught:
        evaluate(parse("1 + 2"), {}, budget)
    assert (caught.value.code.id, caught.value.start, caught.value.end) == ("E302", 0, 1)


def test_comparing_nested_aliases_ends_with_the_budget():
    left, right = ["a"], ["a"]
    for _ in range(60):
        left, right = [left, left], [right, right]
    error = refusal(
        lambda: evaluate(parse("a == b"), {"a": left, "b": right}, Budget(1_000)), most=50_000
    )
    assert error.code.id == "E302"


def test_comparing_deep_lists_does_not_recurse():
    left, right = [], []
    for _ in range(5_000):
        left, right = [left], [right]
    assert evaluate(parse("a == b"), {"a": left, "b": right}, Budget()) is True


def test_long_texts_and_lists_are_refused_before_they_are_made():
    for text, names in [("a + a", {"a": "x" * 500_001}), ("a + a", {"a": [0] * 50_001})]:
        with pytest.raises(ExpressionError) as caught:
            evaluate(parse(text), names, Budget())
        assert (caught.value.code.id, caught.value.start, caught.value.end) == ("E302", 0, 5)


def test_reading_a_long_text_again_and_again_uses_the_budget_up():
    budget, names = Budget(), {"a": "x" * 1_000_000}
    with pytest.raises(ExpressionError) as caught:
        for _ in range(100):
            evaluate(parse("len(a)"), names, budget)
    assert caught.value.code.id == "E302"


def test_every_item_of_a_list_is_a_step():
    budget, names = Budget(), {"a": [1] * 60_000}
    assert evaluate(parse("max(a)"), names, budget) == 1
    with pytest.raises(ExpressionError) as caught:
        evaluate(parse("max(a)"), names, budget)
    assert (caught.value.code.id, caught.value.start, caught.value.end) == ("E302", 0, 6)


TEMPLATES = [
    ("plain", "plain"),
    ("", ""),
    ("${x}", 2),
    ("$x", 2),
    ("${ x + 1 }", 3),
    ("$yes", True),
    ("$true", True),
    ("$nothing", None),
    ("$depth", [3, 4, 6, 3]),
    ("${depth}", [3, 4, 6, 3]),
    (" ${x}", " 2"),
    ("conv$x", "conv2"),
    ("conv${x}_a", "conv2_a"),
    ("$x.$kind", "2.bottleneck"),
    ("${x}${x}", "22"),
    ("$x$x", "22"),
    ("a${yes}b${0.5}", "atrueb0.5"),
    ("$$", "$"),
    ("$$x", "$x"),
    ("$${x}", "${x}"),
    ("$$$x", "$2"),
    ("$$$$", "$$"),
    ("5 $", "5 $"),
    ("$5", "$5"),
    ("a$$b$x", "a$b2"),
    ("${'}'}", "}"),
    ('${"${x}"}', "${x}"),
    ("${'a' if x == 2 else '}'}!", "a!"),
    ("line\n${x}\n", "line\n2\n"),
]


@pytest.mark.parametrize(("text", "value"), TEMPLATES)
def test_template(text, value):
    found = substitute(text, NAMES, Budget())
    assert found == value
    assert type(found) is type(value)


TEMPLATE_ERRORS = [
    # row 97
    ("${", "E300", 0, 2, "not closed"),
    ("ab${x", "E300", 2, 4, "not closed"),
    ("ab${x\n}", "E300", 2, 4, "not closed"),
    ("${}", "E300", 0, 3, "empty"),
    ("ab${ }", "E300", 2, 6, "empty"),
    ("${a${b}}", "E300", 3, 5, "inside"),
    ("x${'a}", "E300", 3, 4, "quote"),
    ("x${'a\n'}", "E300", 3, 4, "quote"),
    ("$x${x +}", "E300", 7, 7, "the end"),
    ("$x ${ 1/0 } $x", "E301", 6, 9, "1 / 0"),
    ("ab $nome", "E303", 4, 8, "nome"),
    ("ab ${nome}", "E303", 5, 9, "nome"),
    ("$if", "E300", 1, 3, "`if`"),
    ("a$n\u0430me", "E300", 3, 4, "U+0430"),
    ("a$\u0430", "E300", 2, 3, "U+0430"),
    ("a$\uff13", "E300", 2, 3, "U+FF13"),
    ("a$depth", "E301", 2, 7, "a list of 4"),
    ("a${plan}", "E301", 3, 7, "a map"),
    ("a${nothing}", "E301", 3, 10, "null"),
    ("a${" + "1+" * 600 + "}", "E302", 1003, 1203, "1,000 characters"),
    # row 75
    ("${long}${long}", "E302", 0, 14, "1,000,000"),
]


@pytest.mark.parametrize(("text", "code", "start", "end", "part"), TEMPLATE_ERRORS)
def test_template_error(text, code, start, end, part):
    error = refusal(lambda: substitute(text, NAMES, Budget()))
    assert (error.code.id, error.start, error.end) == (code, start, end)
    assert part in str(error)


def test_has_variables():
    for text in ("$x", "${x}", "a$x", "$$$x", "${", "$\u0430"):
        assert has_variables(text)
    for text in ("", "plain", "$$", "$$x", "$${x}", "5 $", "$5", "{x}"):
        assert not has_variables(text)


def test_variables_of_a_template():
    assert variables("$a ${b + c[0]} $$d ${'$e'}") == {"a", "b", "c"}
    assert variables("plain") == frozenset()


def test_doubling_ends_in_one_limit():
    value, count = "ab", 0
    with pytest.raises(ExpressionError) as caught:
        for count in range(40):  # noqa: B007
            value = substitute("${s}${s}", {"s": value}, Budget())
    assert caught.value.code.id == "E302"
    assert count == 18


def test_many_opened_braces_take_linear_work():
    for part in ("${x}", "$$", "${x} $$ ${'}' + kind} "):
        taken = grows(lambda count, part=part: substitute(part * count, NAMES, Budget()), 1_000)
        assert taken < 2.2
    refusal(lambda: substitute("${x} ${'" * 50_000, NAMES, Budget()))
    refusal(lambda: substitute("${" + "'a' " * 50_000, NAMES, Budget()), most=2_000_000)
    with ends():
        substitute("$$" * 200_000, NAMES, Budget())


SIZES = [("3", 3), ("007", 7), ("2*3 + 1", 7), ("-(4) + 6", 2), ("7 // 2 * 2", 6), ("7 % 4", 3)]
SIZES += [("floor(7/2)", 3), ("ceil(7/2)", 4), ("floor(-7/2)", -4), ("ceil(7)", 7), ("6/2", 3)]
SIZES += [("min(3, 4)", 3), ("max(3, 4, 5)", 5), ("floor(7/2 + 1/2)", 4), ("7/2 * 2", 7)]


@pytest.mark.parametrize(("text", "value"), SIZES)
def test_size_of_integers(text, value):
    assert size(text) == value
    assert type(size(text)) is int


def test_size_of_symbols():
    h, w = dim.symbol("H"), dim.symbol("W")
    assert size("H") == h
    assert size("2*H") == 2 * h
    assert size("H*W - 1") == h * w - 1
    assert size("H//32*32") == h // 32 * 32
    assert size("H % 4") == h % 4
    assert size("floor(H/2)") == size("H//2") == h // 2
    assert size("ceil(H/2)") == dim.ceil_div(h, 2)
    assert size("floor((H - 1)/2) + 1") == (h - 1) // 2 + 1
    assert size("floor(H/2 + 1)") == (h + 2) // 2
    assert size("min(H, W)") == dim.minimum(h, w)
    assert size("max(H, W, 8)") == dim.maximum(h, w, 8)
    assert size("-H + 2*H") == h
    assert size("H - H") == 0


SIZE_ERRORS = [
    ("H/2", "E301", 0, 3),
    ("2*(H/2)", "E301", 0, 7),
    ("min(H/2, 3)", "E301", 4, 7),
    ("H/2 % 2", "E301", 0, 7),
    ("7/2", "E301", 0, 3),
    ("H//0", "E301", 3, 4),
    ("H % -2", "E301", 4, 6),
    ("H//W", "E301", 3, 4),
    ("H**2", "E300", 0, 4),
    ("1 + 1.5", "E300", 4, 7),
    ("1 + 'a'", "E300", 4, 7),
    ("true", "E300", 0, 4),
    ("null", "E300", 0, 4),
    ("H < 2", "E300", 0, 5),
    ("H if 1 else 2", "E300", 0, 13),
    ("[H]", "E300", 0, 3),
    ("H[0]", "E300", 0, 4),
    ("not H", "E300", 0, 5),
    ("round(H)", "E300", 0, 8),
    ("size(H)", "E300", 0, 4),
    ("H.a", "E300", 1, 2),
    ("", "E300", 0, 0),
    ("Ж", "E300", 0, 1),
    ("4000000000*4000000000", "E302", 0, 21),
    ("floor(1/4000000000/4000000000)", "E302", 6, 29),
]


@pytest.mark.parametrize(("text", "code", "start", "end"), SIZE_ERRORS)
def test_size_error(text, code, start, end):
    with pytest.raises(ExpressionError) as caught:
        size(text)
    assert (caught.value.code.id, caught.value.start, caught.value.end) == (code, start, end)


@pytest.mark.parametrize(
    ("module", "others"),
    [(expression, {"math", "operator", "re"}), (evaluation, {"math", "operator"})],
)
def test_nothing_of_a_text_reaches_the_interpreter(module, others):
    tree = ast.parse(Path(module.__file__).read_text())
    called = {
        n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and hasattr(n.func, "id")
    }
    assert not called & {"eval", "exec", "compile", "getattr", "setattr", "vars", "__import__"}
    imported = {n.names[0].name for n in ast.walk(tree) if isinstance(n, ast.Import)}
    assert imported == others


def test_every_call_that_is_parsed_has_a_meaning():
    assert tuple(evaluation._CALLS) == expression.CALLS
