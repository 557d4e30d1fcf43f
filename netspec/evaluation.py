"""Evaluation: what the expressions of a spec come to, within bounds."""

from __future__ import annotations

import math
import operator

from .codes import ExpressionLimit, ExpressionValue, UndefinedVariable
from .diagnostics import crop, nearest, show
from .expression import (
    BITS,
    SUMS,
    Expression,
    ExpressionError,
    Node,
    fail,
    is_number,
    limit,
    pieces,
    refuse,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from .expression import Value

    Names: TypeAlias = Mapping[str, Value]
    Meaning: TypeAlias = Callable[[Node, Names, "Budget"], Value]

STEPS = 100_000  # evaluation steps of one file
TEXT = 1_000_000  # characters of a text that is made
ITEMS = 100_000  # items of a list that is made
ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class Budget:
    """The evaluation steps one file may still take."""

    __slots__ = ("left",)

    def __init__(self, steps: int = STEPS) -> None:
        self.left = steps

    def spend(self, steps: int, node: Node) -> None:
        """Take some steps, or refuse at `node` when they are used up."""
        self.left -= steps
        if self.left < 0:
            limit(node, f"the expressions of this file take more than {STEPS:,} steps")


def substitute(text: str, names: Names, budget: Budget) -> Value:
    """Return a string of a spec with its variables put in; a lone `${...}` keeps its type."""
    if "$" not in text:
        return text
    joined, length = [], 0
    found = pieces(text)
    for piece, start in found:
        if isinstance(piece, str):
            value = piece
        else:
            try:
                value = evaluate(piece, names, budget)
            except ExpressionError as error:
                raise error.moved(start) from None
            if len(found) == 1:
                return value
            if value is None or isinstance(value, list | tuple | dict):
                problem = f"{_said(value)} cannot stand inside a text"
                end = start + len(piece.text)
                refuse(ExpressionValue, start, end, problem)
            value = show(value) if isinstance(value, bool) else str(value)
        length += len(value)
        if length > TEXT:
            refuse(ExpressionLimit, 0, len(text), f"the text is longer than {TEXT:,}")
        joined.append(value)
    return "".join(joined)


def evaluate(expression: Expression, names: Names, budget: Budget) -> Value:
    """Return the value of an expression where the variables are `names`."""
    return _value(expression.root, names, budget)


def _value(node: Node, names: Names, budget: Budget) -> Value:
    budget.spend(1, node)
    value = _MEANINGS[node.kind](node, names, budget)
    if isinstance(value, int) and value.bit_length() > BITS:
        limit(node, f"the integer has more than {BITS} bits")
    if isinstance(value, str | list | tuple):
        budget.spend(len(value) >> 8, node)  # what is long takes time to join and compare
    return value


def _constant(node: Node, names: Names, budget: Budget) -> Value:
    return node.value


def _name(node: Node, names: Names, budget: Budget) -> Value:
    if node.value not in names:
        near = nearest(node.value, names)
        facts = {"name": node.value} | ({"hint": f"did you mean `{near}`?"} if near else {})
        raise ExpressionError(UndefinedVariable, node.start, node.end, **facts)
    return names[node.value]


def _list(node: Node, names: Names, budget: Budget) -> Value:
    return [_value(part, names, budget) for part in node.parts]


def _index(node: Node, names: Names, budget: Budget) -> Value:
    holder, key = (_value(part, names, budget) for part in node.parts)
    if isinstance(holder, dict):
        if not isinstance(key, str):
            fail(node.parts[1], f"a key of a map is a text, not {_said(key)}")
        if key not in holder:
            fail(node.parts[1], f"the map has no key {_said(key)}")
    elif isinstance(holder, list | tuple):
        if not isinstance(key, int) or isinstance(key, bool):
            fail(node.parts[1], f"an index is an integer, not {_said(key)}")
        if not -len(holder) <= key < len(holder):
            fail(node.parts[1], f"the index {key} is outside a list of {len(holder)}")
    else:
        fail(node.parts[0], f"{_said(holder)} has no items; only lists and maps have")
    return holder[key]


def _minus(node: Node, names: Names, budget: Budget) -> Value:
    return -_number(node.parts[0], "-", _value(node.parts[0], names, budget))


def _not(node: Node, names: Names, budget: Budget) -> Value:
    return not _bool(node.parts[0], "not", names, budget)


def _logic(node: Node, names: Names, budget: Budget) -> Value:
    left, right = node.parts
    if _bool(left, node.value, names, budget) is (node.value == "or"):
        return node.value == "or"
    return _bool(right, node.value, names, budget)


def _choice(node: Node, names: Names, budget: Budget) -> Value:
    first, condition, second = node.parts
    chosen = first if _bool(condition, "if", names, budget) else second
    return _value(chosen, names, budget)


def _compare(node: Node, names: Names, budget: Budget) -> Value:
    left = _value(node.parts[0], names, budget)
    for at, op in enumerate(node.value):
        right = _value(node.parts[at + 1], names, budget)
        pair = node
        if len(node.value) > 1:
            start, end = node.parts[at].start, node.parts[at + 1].end
            pair = Node("compare", [op], [], start, end)
        if not _holds(pair, op, left, right, budget):
            return False
        left = right
    return True


def _holds(node: Node, op: str, left: Value, right: Value, budget: Budget) -> bool:
    if op in {"==", "!="}:
        return _equal(left, right, node, budget) is (op == "==")
    if op in ORDERS:
        if not (isinstance(left, str) and isinstance(right, str)) and not (
            is_number(left) and is_number(right)
        ):
            fail(node, f"`{op}` cannot order {_said(left)} and {_said(right)}")
        return bool(ORDERS[op](left, right))
    if isinstance(right, list | tuple):
        found = any(_equal(left, item, node, budget) for item in right)
    elif isinstance(right, dict | str) and isinstance(left, str):
        found = left in right
    else:
        fail(node, f"{_said(left)} cannot be `in` {_said(right)}")
    return found is (op == "in")


def _equal(left: Value, right: Value, node: Node, budget: Budget) -> bool:
    pairs = [(left, right)]
    while pairs:
        left, right = pairs.pop()
        budget.spend(1, node)
        if _kind(left) != _kind(right):
            return False
        if isinstance(left, list | tuple):
            if len(left) != len(right):
                return False
            pairs += zip(left, right, strict=True)
        elif isinstance(left, dict):
            if left.keys() != right.keys():
                return False
            pairs += [(left[key], right[key]) for key in left]
        elif left != right:
            return False
    return True


def _binary(node: Node, names: Names, budget: Budget) -> Value:
    left, right = (_value(part, names, budget) for part in node.parts)
    return _operate(node, left, right)


def _operate(node: Node, left: Value, right: Value) -> Value:
    op = node.value
    if op == "+" and _kind(left) == _kind(right) and _kind(left) in {"text", "list"}:
        most = TEXT if isinstance(left, str) else ITEMS
        if len(left) + len(right) > most:
            limit(node, f"the {_kind(left)} is longer than {most:,}")
        return left + right if isinstance(left, str) else [*left, *right]
    if not (is_number(left) and is_number(right)):
        fail(node, f"`{op}` cannot take {_said(left)} and {_said(right)}")
    if right == 0 and op in {"/", "//", "%"}:
        fail(node, f"division by zero: {_said(left)} {op} {_said(right)}")
    try:
        value = _power(node, left, right) if op == "**" else _quotient(op, left, right)
    except OverflowError:
        value = math.inf
    if isinstance(value, float) and not math.isfinite(value):
        fail(node, f"{_said(left)} {op} {_said(right)} is not a finite number")
    return value


def _quotient(op: str, left: Value, right: Value) -> Value:
    if op in SUMS:
        return SUMS[op](left, right)
    if op == "//":
        return left // right
    if op == "%":
        return left % right
    exact = isinstance(left, int) and isinstance(right, int) and left % right == 0
    return left // right if exact else left / right


def _power(node: Node, left: Value, right: Value) -> Value:
    if left == 0 and right < 0:
        fail(node, f"division by zero: {_said(left)} ** {_said(right)}")
    if left < 0 and isinstance(right, float) and not right.is_integer():
        fail(node, f"{_said(left)} ** {_said(right)} is not a real number")
    if not isinstance(left, int) or not isinstance(right, int) or right < 0:
        return float(left) ** right
    if (abs(left).bit_length() - 1) * right >= BITS:
        limit(node, f"{_said(left)} ** {_said(right)} has more than {BITS} bits")
    return left**right


def _call(node: Node, names: Names, budget: Budget) -> Value:
    return _CALLS[node.value](node, names, budget)


def _extreme(node: Node, names: Names, budget: Budget) -> Value:
    found = [(part, _value(part, names, budget)) for part in node.parts]
    if len(found) == 1 and isinstance(found[0][1], list | tuple):
        found = [(node.parts[0], item) for item in found[0][1]]
    if not found:
        fail(node, f"`{node.value}` of an empty list")
    budget.spend(len(found), node)
    values = [_number(part, node.value, value) for part, value in found]
    return min(values) if node.value == "min" else max(values)


def _abs(node: Node, names: Names, budget: Budget) -> Value:
    return abs(_number(node.parts[0], "abs", _value(node.parts[0], names, budget)))


def _len(node: Node, names: Names, budget: Budget) -> Value:
    value = _value(node.parts[0], names, budget)
    if not isinstance(value, str | list | tuple | dict):
        fail(node.parts[0], f"{_said(value)} has no length")
    return len(value)


def _rounded(node: Node, names: Names, budget: Budget) -> Value:
    top, bottom = _exact(node.parts[0], node.value, names, budget)
    whole, rest = divmod(top, bottom)
    if node.value == "floor":
        return whole
    if node.value == "ceil":
        return whole + (rest > 0)
    if node.value == "int":
        return whole + (top < 0 < rest)
    return whole + (2 * rest > bottom or (2 * rest == bottom and whole % 2 == 1))


def _exact(node: Node, call: str, names: Names, budget: Budget) -> tuple[int, int]:
    # The quotient itself is rounded, not the float nearest to it.
    if node.kind == "binary" and node.value == "/":
        budget.spend(1, node)
        left, right = (_value(part, names, budget) for part in node.parts)
        if right != 0 and all(isinstance(v, int) and is_number(v) for v in (left, right)):
            return (left, right) if right > 0 else (-left, -right)
        value = _operate(node, left, right)
    else:
        value = _value(node, names, budget)
    top, bottom = _number(node, call, value).as_integer_ratio()
    return top, bottom


def _bool(node: Node, op: str, names: Names, budget: Budget) -> bool:
    value = _value(node, names, budget)
    if not isinstance(value, bool):
        fail(node, f"`{op}` takes true or false, not {_said(value)}")
    return value


def _number(node: Node, op: str, value: Value) -> Value:
    if not is_number(value):
        fail(node, f"`{op}` takes a finite number, not {_said(value)}")
    return value


def _kind(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "map" if isinstance(value, dict) else "list"


def _said(value: Value) -> str:
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return "a map"
    if value is None:
        return "null"
    return f"'{crop(value, 16)}'" if isinstance(value, str) else crop(show(value), 24)


_CALLS: dict[str, Meaning] = {
    "min": _extreme,
    "max": _extreme,
    "abs": _abs,
    "round": _rounded,
    "floor": _rounded,
    "ceil": _rounded,
    "int": _rounded,
    "len": _len,
}
_MEANINGS: dict[str, Meaning] = {
    "constant": _constant,
    "name": _name,
    "list": _list,
    "index": _index,
    "-": _minus,
    "not": _not,
    "and": _logic,
    "or": _logic,
    "if": _choice,
    "compare": _compare,
    "binary": _binary,
    "call": _call,
}
