"""Expressions: what is written in the `${...}` of a spec's strings, and in sizes of `inputs`."""

from __future__ import annotations

import math
import operator
import re

from .codes import ExpressionLimit, ExpressionSyntax, ExpressionValue
from .diagnostics import crop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NoReturn, TypeAlias

    from .diagnostics import Code
    from .dim import Size

    Value: TypeAlias = Any  # int, float, str, bool, None, list or dict

LENGTH = 1_000  # characters of one expression
DEPTH = 32  # operations inside one another
BITS = 63  # of every integer, without its sign
CACHED = 4_096  # expressions kept parsed

WORDS = frozenset({"and", "or", "not", "in", "if", "else"})
CALLS = ("min", "max", "abs", "round", "floor", "ceil", "int", "len")
CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}
POWERS = {"if": 1, "or": 2, "and": 3, "+": 6, "-": 6, "*": 7, "/": 7, "//": 7, "%": 7, "**": 9}
POWERS |= dict.fromkeys(("<", "<=", ">", ">=", "==", "!=", "in", "not"), 5) | {"[": 10}
NOT, COMPARE, MINUS = 4, 5, 8
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
            limit(self, f"the expression is more than {DEPTH} operations deep")


class Expression:
    """A parsed expression; `names` are the variables it may read."""

    __slots__ = ("names", "root", "text")

    def __init__(self, text: str, root: Node, names: frozenset[str]) -> None:
        self.text = text
        self.root = root
        self.names = names


_parsed: dict[str, Expression] = {}
_templates: dict[str, tuple[tuple[str | Expression, int], ...]] = {}


def parse(text: str) -> Expression:
    """Parse one expression, without the `${` and `}` around it."""
    if (known := _parsed.get(text)) is not None:
        return known
    if len(text) > LENGTH:
        problem = f"the expression has more than {LENGTH:,} characters"
        refuse(ExpressionLimit, LENGTH, len(text), problem)
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
    read = [piece.names for piece, _ in pieces(text) if isinstance(piece, Expression)]
    return frozenset().union(*read)


def pieces(text: str) -> tuple[tuple[str | Expression, int], ...]:
    """Return the texts and expressions a string of a spec is made of, each with its start."""
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
                refuse(ExpressionSyntax, start - 2, at, "`${}` is empty")
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
            refuse(ExpressionSyntax, at, at + 2, problem)
        at += 1
    if at == len(text) or text[at] == "\n":
        refuse(ExpressionSyntax, start - 2, start, "`${` is not closed on its line")
    return at


def _quoted(text: str, at: int) -> int:
    line = text.find("\n", at)
    end = text.find(text[at], at + 1, line if line >= 0 else len(text))
    if end < 0:
        refuse(ExpressionSyntax, at, at + 1, "the quote is not closed on its line")
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
        refuse(ExpressionSyntax, at, at + 1, problem)

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
        refuse(ExpressionSyntax, self.start, self.stop, problem)

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
            refuse(ExpressionLimit, self.start, self.stop, problem)
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
                refuse(ExpressionValue, start, self.end, problem)
            return value
        digits = token.lstrip("0") or "0"
        if len(digits) > 19 or int(digits).bit_length() > BITS:
            refuse(ExpressionLimit, start, self.end, f"the integer has more than {BITS} bits")
        return int(digits)

    def call(self, name: str, start: int) -> Node:
        """Parse the arguments of a call."""
        if name not in CALLS:
            problem = f"`{crop(name, 16)}` is none of {', '.join(CALLS)}"
            refuse(ExpressionSyntax, start, self.end, problem)
        self.take()
        parts = self.items(")")
        if not parts or (len(parts) > 1 and name not in {"min", "max"}):
            problem = f"`{name}` takes one argument, not {len(parts)}"
            refuse(ExpressionSyntax, start, self.end, problem)
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


def is_number(value: Value) -> bool:
    """Tell whether a value is a finite number."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def refuse(code: type[Code], start: int, end: int, problem: str) -> NoReturn:
    """Raise the error of a stretch of the text."""
    raise ExpressionError(code, start, end, problem=problem)


def fail(node: Node, problem: str) -> NoReturn:
    """Refuse the value of a node."""
    refuse(ExpressionValue, node.start, node.end, problem)


def limit(node: Node, problem: str) -> NoReturn:
    """Refuse what a node takes."""
    refuse(ExpressionLimit, node.start, node.end, problem)


def size(text: str) -> Size:
    """Return a dimension as it is written in `inputs`: `N`, `2*H`, `ceil(H/2)`."""
    root = parse(text).root
    top, bottom = _ratio(root)
    if bottom != 1:
        fail(root, NOT_WHOLE)
    return top


def _ratio(node: Node) -> tuple[Size, int]:
    if node.kind == "name":
        from .dim import symbol

        return symbol(node.value), 1
    if node.kind == "constant" and isinstance(node.value, int) and is_number(node.value):
        return node.value, 1
    if node.kind == "-":
        top, bottom = _ratio(node.parts[0])
        return -1 * top, bottom
    if node.kind == "call":
        return _whole(node), 1
    if node.kind != "binary" or node.value == "**":
        problem = "a size is made of integers, names, + - * // / %, floor, ceil, min and max"
        refuse(ExpressionSyntax, node.start, node.end, problem)
    (a, b), (c, d) = (_ratio(part) for part in node.parts)
    if node.value == "*":
        top, bottom = a * c, b * d
    elif node.value in {"+", "-"}:
        top, bottom = SUMS[node.value](a * d, c * b), b * d
    elif not isinstance(c, int) or c <= 0:
        fail(node.parts[1], "a size is divided only by a positive integer")
    elif node.value == "/":
        top, bottom = a * d, b * c
    elif node.value == "//":
        top, bottom = a * d // (b * c), 1
    elif b != 1 or d != 1:
        fail(node, NOT_WHOLE)
    else:
        top, bottom = a % c, 1
    if isinstance(top, int):
        shared = math.gcd(top, bottom)
        top, bottom = top // shared, bottom // shared
    if max(bottom, abs(top) if isinstance(top, int) else 0).bit_length() > BITS:
        limit(node, f"the integer has more than {BITS} bits")
    return top, bottom


def _whole(node: Node) -> Size:
    from .dim import ceil_div, maximum, minimum

    call, found = node.value, [_ratio(part) for part in node.parts]
    if call in {"floor", "ceil"}:
        return found[0][0] // found[0][1] if call == "floor" else ceil_div(*found[0])
    if call not in {"min", "max"}:
        refuse(ExpressionSyntax, node.start, node.end, f"`{call}` is not for sizes")
    for part, (_, bottom) in zip(node.parts, found, strict=True):
        if bottom != 1:
            fail(part, NOT_WHOLE)
    return (minimum if call == "min" else maximum)(*[top for top, _ in found])
