"""Expressions: the `${...}` in a spec's strings, and the sizes written in `inputs`."""

from __future__ import annotations

import math
import operator
import re

from .codes import ExpressionLimit, ExpressionSyntax, ExpressionValue, UndefinedVariable
from .diagnostics import crop, nearest, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, NoReturn, TypeAlias

    from .diagnostics import Code
    from .dim import Size

    Value: TypeAlias = Any  # int, float, str, bool, None, list or dict
    Names: TypeAlias = Mapping[str, Value]
    Meaning: TypeAlias = Callable[["Node", Names, "Budget"], Value]

LENGTH = 1_000  # characters of one expression
DEPTH = 32  # operations inside one another
STEPS = 100_000  # evaluation steps of one file
BITS = 63  # of every integer, without its sign
TEXT = 1_000_000  # characters of a text that is made
ITEMS = 100_000  # items of a list that is made
CACHED = 4_096  # expressions kept parsed

WORDS = frozenset({"and", "or", "not", "in", "if", "else"})
CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}
POWERS = {"if": 1, "or": 2, "and": 3, "+": 6, "-": 6, "*": 7, "/": 7, "//": 7, "%": 7, "**": 9}
POWERS |= dict.fromkeys(("<", "<=", ">", ">=", "==", "!=", "in", "not"), 5) | {"[": 10}
NOT, COMPARE, MINUS = 4, 5, 8
ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
SUMS = {"+": operator.add, "-": operator.sub, "*": operator.mul}
NOT_WHOLE = "a size with `/` needs `floor(...)` or `ceil(...)` around the division"

_TOKEN = re.compile(
    r"(?P<float>(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)"
    r"|(?P<int>[0-9]+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<text>'[^'\n]*'|\"[^\"\n]*\")"
    r"|(?P<op>\*\*|//|[<>=!]=|[-+*/%<>()\[\],])"
)
_SPACE = re.compile(r"[ \t]*")
# A non-ASCII letter is taken into the name so that it is refused, not left behind as text.
_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|(?P<brace>\{)|(?P<name>[^\W0-9]\w*))")


class ExpressionError(Exception):
    """An expression is wrong: `code` and `facts` say how, `start` and `end` where in the text."""

    def __init__(self, code: type[Code], start: int, end: int, **facts: str) -> None:
        super().__init__(facts.get("problem") or facts.get("name"))
        self.code = code
        self.start = start
        self.end = end
        self.facts = facts

    def moved(self, by: int) -> ExpressionError:
        """Return the same error in a text where the expression starts at `by`."""
        return ExpressionError(self.code, self.start + by, self.end + by, **self.facts)


class Budget:
    """The evaluation steps one file may still take."""

    __slots__ = ("left",)

    def __init__(self, steps: int = STEPS) -> None:
        self.left = steps

    def spend(self, steps: int, node: Node) -> None:
        """Take some steps, or refuse at `node` when they are used up."""
        self.left -= steps
        if self.left < 0:
            _limit(node, f"the expressions of this file take more than {STEPS:,} steps")


class Node:
    """One operation of an expression: its kind, its operands, and its place in the text."""

    __slots__ = ("depth", "end", "kind", "parts", "start", "value")

    def __init__(self, kind: str, value: Value, parts: list[Node], start: int, end: int) -> None:
        self.kind = kind
        self.value = value
        self.parts = parts
        self.start = start
        self.end = end
        self.depth: int = 1 + max([part.depth for part in parts], default=0)
        if self.depth > DEPTH:
            _limit(self, f"the expression is more than {DEPTH} operations deep")


class Expression:
    """A parsed expression; `names` are the variables it may read."""

    __slots__ = ("names", "root", "text")

    def __init__(self, text: str, root: Node, names: frozenset[str]) -> None:
        self.text = text
        self.root = root
        self.names = names

    def evaluate(self, names: Names, budget: Budget) -> Value:
        """Return the value of the expression where the variables are `names`."""
        return _value(self.root, names, budget)


def parse(text: str) -> Expression:
    """Parse one expression, without the `${` and `}` around it."""
    if (known := _parsed.get(text)) is not None:
        return known
    if len(text) > LENGTH:
        problem = f"the expression has more than {LENGTH:,} characters"
        _refuse(ExpressionLimit, LENGTH, len(text), problem)
    parser = _Parser(text)
    found = Expression(text, parser.whole(), frozenset(parser.names))
    if len(_parsed) >= CACHED:
        _parsed.clear()
    _parsed[text] = found
    return found


def has_variables(text: str) -> bool:
    """Tell whether a string of a spec holds `${...}` or `$name`."""
    return "$" in text and any(not match["dollar"] for match in _VARIABLE.finditer(text))


def variables(text: str) -> frozenset[str]:
    """Return the variables a string of a spec reads."""
    read = [piece.names for piece, _ in _pieces(text) if isinstance(piece, Expression)]
    return frozenset().union(*read)


def substitute(text: str, names: Names, budget: Budget) -> Value:
    """Return a string of a spec with its variables put in; a lone `${...}` keeps its type."""
    if "$" not in text:
        return text
    joined, length = [], 0
    pieces = _pieces(text)
    for piece, start in pieces:
        if isinstance(piece, str):
            value = piece
        else:
            try:
                value = piece.evaluate(names, budget)
            except ExpressionError as error:
                raise error.moved(start) from None
            if len(pieces) == 1:
                return value
            if value is None or isinstance(value, list | tuple | dict):
                problem = f"{_said(value)} cannot stand inside a text"
                end = start + len(piece.text)
                _refuse(ExpressionValue, start, end, problem)
            value = show(value) if isinstance(value, bool) else str(value)
        length += len(value)
        if length > TEXT:
            _refuse(ExpressionLimit, 0, len(text), f"the text is longer than {TEXT:,}")
        joined.append(value)
    return "".join(joined)


def size(text: str) -> Size:
    """Return a dimension as it is written in `inputs`: `N`, `2*H`, `ceil(H/2)`."""
    root = parse(text).root
    top, bottom = _ratio(root)
    if bottom != 1:
        _fail(root, NOT_WHOLE)
    return top


_parsed: dict[str, Expression] = {}


_templates: dict[str, tuple[tuple[str | Expression, int], ...]] = {}


def _pieces(text: str) -> tuple[tuple[str | Expression, int], ...]:
    found = _templates.get(text)
    if found is None:
        if len(_templates) >= CACHED:
            _templates.clear()
        found = _templates[text] = tuple(_cut(text))
    return found


def _cut(text: str) -> Iterator[tuple[str | Expression, int]]:
    at = 0
    while match := _VARIABLE.search(text, at):
        if match.start() > at:
            yield text[at : match.start()], at
        start, at = match.end(), match.end()
        if match["dollar"]:
            yield "$", start
            continue
        if match["brace"]:
            end = _close(text, start)
            at = end + 1
            if not text[start:end].strip():
                _refuse(ExpressionSyntax, start - 2, at, "`${}` is empty")
        else:
            start, end = match.span("name")
        try:
            yield parse(text[start:end]), start
        except ExpressionError as error:
            raise error.moved(start) from None
    if at < len(text):
        yield text[at:], at


def _close(text: str, start: int) -> int:
    at = start
    while at < len(text) and text[at] not in "}\n":
        if text[at] in "'\"":
            at = _quoted(text, at)
        elif text.startswith("${", at):
            problem = "`${` cannot stand inside `${`; write the name alone"
            _refuse(ExpressionSyntax, at, at + 2, problem)
        at += 1
    if at == len(text) or text[at] == "\n":
        _refuse(ExpressionSyntax, start - 2, start, "`${` is not closed on its line")
    return at


def _quoted(text: str, at: int) -> int:
    line = text.find("\n", at)
    end = text.find(text[at], at + 1, line if line >= 0 else len(text))
    if end < 0:
        _refuse(ExpressionSyntax, at, at + 1, "the quote is not closed on its line")
    return end


class _Parser:
    """Pratt's: every operator has a power, and takes what binds tighter than itself."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: set[str] = set()
        self.nested = 0
        self.end = 0  # of the last token taken
        self.scan()

    def scan(self) -> None:
        """Read the next token into kind, token, start and stop."""
        space = _SPACE.match(self.text, self.end)
        at = space.end() if space else self.end
        match = _TOKEN.match(self.text, at)
        self.start = self.stop = at
        self.kind, self.token = "end", ""
        if match:
            self.kind, self.token, self.stop = str(match.lastgroup), match[0], match.end()
            if self.token in WORDS:
                self.kind = "op"
        elif at < len(self.text):
            self.stray(at)

    def stray(self, at: int) -> NoReturn:
        """Refuse a character that begins no token."""
        character = self.text[at]
        problem = f"the character `{character}` is not allowed here"
        if character in "'\"":
            _quoted(self.text, at)
        elif character == ".":
            problem = "`.` is not allowed: a value has no attributes"
        elif character == "=":
            problem = "`=` is not allowed; to compare, write `==`"
        elif not character.isascii():
            problem = f"the character `{character}` (U+{ord(character):04X}) is not ASCII"
        _refuse(ExpressionSyntax, at, at + 1, problem)

    def take(self) -> str:
        """Return the token and go past it."""
        token, self.end = self.token, self.stop
        self.scan()
        return token

    def at(self, token: str) -> bool:
        """Tell whether the next token is this operator."""
        return self.kind == "op" and self.token == token

    def expect(self, token: str) -> None:
        """Go past the operator that must come here."""
        if not self.at(token):
            self.unexpected(f"`{token}`")
        self.take()

    def unexpected(self, wanted: str) -> NoReturn:
        """Refuse the next token."""
        found = f"`{crop(self.token, 24)}`" if self.token else "the end"
        problem = f"expected {wanted}, found {found}"
        _refuse(ExpressionSyntax, self.start, self.stop, problem)

    def whole(self) -> Node:
        """Parse all of the text."""
        root = self.expression(0)
        if self.kind != "end":
            self.unexpected("an operator")
        return root

    def expression(self, floor: int) -> Node:
        """Parse a value and the operators after it that bind tighter than `floor`."""
        self.nested += 1
        if self.nested > 2 * DEPTH:
            problem = f"the expression is more than {2 * DEPTH} brackets and operators deep"
            _refuse(ExpressionLimit, self.start, self.stop, problem)
        left = self.first(floor)
        while self.kind == "op" and (power := POWERS.get(self.token, 0)) > floor:
            left = self.compare(left) if power == COMPARE else self.after(left, power)
        self.nested -= 1
        return left

    def first(self, floor: int) -> Node:
        """Parse what an expression begins with."""
        start, kind = self.start, self.kind
        if kind == "op" and (self.token == "-" or (self.token == "not" and floor <= NOT)):
            op = self.take()
            return self.node(op, op, [self.expression(MINUS if op == "-" else NOT)], start)
        if self.at("("):
            self.take()
            inner = self.expression(0)
            self.expect(")")
            return inner
        if self.at("["):
            self.take()
            return self.node("list", None, self.items("]"), start)
        if kind in {"op", "end"}:
            self.unexpected("a value")
        token = self.take()
        if kind == "name" and self.at("("):
            return self.call(token, start)
        if kind == "name" and token not in CONSTANTS:
            self.names.add(token)
            return self.node("name", token, [], start)
        return self.node("constant", self.constant(kind, token, start), [], start)

    def constant(self, kind: str, token: str, start: int) -> Value:
        """Return the value a token stands for."""
        if kind == "name":
            return CONSTANTS[token]
        if kind == "text":
            return token[1:-1]
        if kind == "float":
            value = float(token)
            if not math.isfinite(value):
                problem = f"the number `{crop(token, 24)}` is too large"
                _refuse(ExpressionValue, start, self.end, problem)
            return value
        digits = token.lstrip("0") or "0"
        if len(digits) > 19 or int(digits).bit_length() > BITS:
            _refuse(ExpressionLimit, start, self.end, f"the integer has more than {BITS} bits")
        return int(digits)

    def call(self, name: str, start: int) -> Node:
        """Parse the arguments of a call."""
        if name not in _CALLS:
            problem = f"`{crop(name, 16)}` is none of {', '.join(_CALLS)}"
            _refuse(ExpressionSyntax, start, self.end, problem)
        self.take()
        parts = self.items(")")
        if not parts or (len(parts) > 1 and name not in {"min", "max"}):
            problem = f"`{name}` takes one argument, not {len(parts)}"
            _refuse(ExpressionSyntax, start, self.end, problem)
        return self.node("call", name, parts, start)

    def items(self, close: str) -> list[Node]:
        """Parse expressions with commas between them, up to a closing bracket."""
        parts = []
        if not self.at(close):
            parts.append(self.expression(0))
            while self.at(","):
                self.take()
                parts.append(self.expression(0))
        if not self.at(close):
            self.unexpected(f"`,` or `{close}`")
        self.take()
        return parts

    def after(self, left: Node, power: int) -> Node:
        """Parse an operator and what it takes on its right."""
        op = self.take()
        if op == "[":
            index = self.expression(0)
            self.expect("]")
            return self.node("index", None, [left, index], left.start)
        if op == "if":
            condition = self.expression(power)
            self.expect("else")
            return self.node(op, None, [left, condition, self.expression(0)], left.start)
        right = self.expression(MINUS if op == "**" else power)
        return self.node(op if op in {"and", "or"} else "binary", op, [left, right], left.start)

    def compare(self, left: Node) -> Node:
        """Parse a chain of comparisons."""
        ops, parts = [], [left]
        while self.kind == "op" and POWERS.get(self.token) == COMPARE:
            op = self.take()
            if op == "not":
                self.expect("in")
                op = "not in"
            ops.append(op)
            parts.append(self.expression(COMPARE))
        return self.node("compare", ops, parts, left.start)

    def node(self, kind: str, value: Value, parts: list[Node], start: int) -> Node:
        """Make the node that ends with the last token taken."""
        return Node(kind, value, parts, start, self.end)


def _value(node: Node, names: Names, budget: Budget) -> Value:
    budget.spend(1, node)
    value = _MEANINGS[node.kind](node, names, budget)
    if isinstance(value, int) and value.bit_length() > BITS:
        _limit(node, f"the integer has more than {BITS} bits")
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
            _fail(node.parts[1], f"a key of a map is a text, not {_said(key)}")
        if key not in holder:
            _fail(node.parts[1], f"the map has no key {_said(key)}")
    elif isinstance(holder, list | tuple):
        if not isinstance(key, int) or isinstance(key, bool):
            _fail(node.parts[1], f"an index is an integer, not {_said(key)}")
        if not -len(holder) <= key < len(holder):
            _fail(node.parts[1], f"the index {key} is outside a list of {len(holder)}")
    else:
        _fail(node.parts[0], f"{_said(holder)} has no items; only lists and maps have")
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
            _is_number(left) and _is_number(right)
        ):
            _fail(node, f"`{op}` cannot order {_said(left)} and {_said(right)}")
        return bool(ORDERS[op](left, right))
    if isinstance(right, list | tuple):
        found = any(_equal(left, item, node, budget) for item in right)
    elif isinstance(right, dict | str) and isinstance(left, str):
        found = left in right
    else:
        _fail(node, f"{_said(left)} cannot be `in` {_said(right)}")
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
        limit = TEXT if isinstance(left, str) else ITEMS
        if len(left) + len(right) > limit:
            _limit(node, f"the {_kind(left)} is longer than {limit:,}")
        return left + right if isinstance(left, str) else [*left, *right]
    if not (_is_number(left) and _is_number(right)):
        _fail(node, f"`{op}` cannot take {_said(left)} and {_said(right)}")
    if right == 0 and op in {"/", "//", "%"}:
        _fail(node, f"division by zero: {_said(left)} {op} {_said(right)}")
    try:
        value = _power(node, left, right) if op == "**" else _quotient(op, left, right)
    except OverflowError:
        value = math.inf
    if isinstance(value, float) and not math.isfinite(value):
        _fail(node, f"{_said(left)} {op} {_said(right)} is not a finite number")
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
        _fail(node, f"division by zero: {_said(left)} ** {_said(right)}")
    if left < 0 and isinstance(right, float) and not right.is_integer():
        _fail(node, f"{_said(left)} ** {_said(right)} is not a real number")
    if not isinstance(left, int) or not isinstance(right, int) or right < 0:
        return float(left) ** right
    if (abs(left).bit_length() - 1) * right >= BITS:
        _limit(node, f"{_said(left)} ** {_said(right)} has more than {BITS} bits")
    return left**right


def _call(node: Node, names: Names, budget: Budget) -> Value:
    return _CALLS[node.value](node, names, budget)


def _extreme(node: Node, names: Names, budget: Budget) -> Value:
    found = [(part, _value(part, names, budget)) for part in node.parts]
    if len(found) == 1 and isinstance(found[0][1], list | tuple):
        found = [(node.parts[0], item) for item in found[0][1]]
    if not found:
        _fail(node, f"`{node.value}` of an empty list")
    budget.spend(len(found), node)
    values = [_number(part, node.value, value) for part, value in found]
    return min(values) if node.value == "min" else max(values)


def _abs(node: Node, names: Names, budget: Budget) -> Value:
    return abs(_number(node.parts[0], "abs", _value(node.parts[0], names, budget)))


def _len(node: Node, names: Names, budget: Budget) -> Value:
    value = _value(node.parts[0], names, budget)
    if not isinstance(value, str | list | tuple | dict):
        _fail(node.parts[0], f"{_said(value)} has no length")
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
        if right != 0 and all(isinstance(v, int) and _is_number(v) for v in (left, right)):
            return (left, right) if right > 0 else (-left, -right)
        value = _operate(node, left, right)
    else:
        value = _value(node, names, budget)
    top, bottom = _number(node, call, value).as_integer_ratio()
    return top, bottom


def _bool(node: Node, op: str, names: Names, budget: Budget) -> bool:
    value = _value(node, names, budget)
    if not isinstance(value, bool):
        _fail(node, f"`{op}` takes true or false, not {_said(value)}")
    return value


def _number(node: Node, op: str, value: Value) -> Value:
    if not _is_number(value):
        _fail(node, f"`{op}` takes a finite number, not {_said(value)}")
    return value


def _is_number(value: Value) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


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


def _refuse(code: type[Code], start: int, end: int, problem: str) -> NoReturn:
    raise ExpressionError(code, start, end, problem=problem)


def _fail(node: Node, problem: str) -> NoReturn:
    _refuse(ExpressionValue, node.start, node.end, problem)


def _limit(node: Node, problem: str) -> NoReturn:
    _refuse(ExpressionLimit, node.start, node.end, problem)


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


def _ratio(node: Node) -> tuple[Size, int]:
    if node.kind == "name":
        from .dim import symbol

        return symbol(node.value), 1
    if node.kind == "constant" and isinstance(node.value, int) and _is_number(node.value):
        return node.value, 1
    if node.kind == "-":
        top, bottom = _ratio(node.parts[0])
        return -1 * top, bottom
    if node.kind == "call":
        return _whole(node), 1
    if node.kind != "binary" or node.value == "**":
        problem = "a size is made of integers, names, + - * // / %, floor, ceil, min and max"
        _refuse(ExpressionSyntax, node.start, node.end, problem)
    (a, b), (c, d) = (_ratio(part) for part in node.parts)
    if node.value == "*":
        top, bottom = a * c, b * d
    elif node.value in {"+", "-"}:
        top, bottom = SUMS[node.value](a * d, c * b), b * d
    elif not isinstance(c, int) or c <= 0:
        _fail(node.parts[1], "a size is divided only by a positive integer")
    elif node.value == "/":
        top, bottom = a * d, b * c
    elif node.value == "//":
        top, bottom = a * d // (b * c), 1
    elif b != 1 or d != 1:
        _fail(node, NOT_WHOLE)
    else:
        top, bottom = a % c, 1
    if isinstance(top, int):
        shared = math.gcd(top, bottom)
        top, bottom = top // shared, bottom // shared
    if max(bottom, abs(top) if isinstance(top, int) else 0).bit_length() > BITS:
        _limit(node, f"the integer has more than {BITS} bits")
    return top, bottom


def _whole(node: Node) -> Size:
    from .dim import ceil_div, maximum, minimum

    call, found = node.value, [_ratio(part) for part in node.parts]
    if call in {"floor", "ceil"}:
        return found[0][0] // found[0][1] if call == "floor" else ceil_div(*found[0])
    if call not in {"min", "max"}:
        _refuse(ExpressionSyntax, node.start, node.end, f"`{call}` is not for sizes")
    for part, (_, bottom) in zip(node.parts, found, strict=True):
        if bottom != 1:
            _fail(part, NOT_WHOLE)
    return (minimum if call == "min" else maximum)(*[top for top, _ in found])
