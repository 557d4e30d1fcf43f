"""Expectations: what `expect:` demands of a net, judged."""

from __future__ import annotations

from .. import codes
from ..dim import Dim
from ..expression import ExpressionError
from ..expression import size as parse_size
from ..spec import Place, as_list
from .cost import batch, bound, macs, weights_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..diagnostics import Report
    from ..dim import Size
    from ..graph import Node
    from ..net import Net

SUFFIXES = {
    "": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip
COUNTS = ("params", "trainable", "frozen", "buffers", "macs", "memory")
SHOWN = 5  # layers named with a count that is off


class Bound:
    """What a count must be: `low` to `high`, either of them open; exact where they are one."""

    __slots__ = ("exact", "high", "low", "text")

    def __init__(self, text: str, low: Size | None, high: Size | None, exact: bool) -> None:
        self.text = text
        self.low = low
        self.high = high
        self.exact = exact

    def holds(self, found: Size) -> bool | None:
        """Return whether a count is inside; None where its symbols leave that open."""
        if self.exact:
            return found == self.low
        if isinstance(found, Dim):
            return None
        low = found if self.low is None or isinstance(self.low, Dim) else self.low
        high = found if self.high is None or isinstance(self.high, Dim) else self.high
        return low <= found <= high


def parse_bound(value: Any) -> Bound:
    """Return what a count must be: `5`, `5M`, `<= 5M`, `4M..5M`, or a symbolic size.

    Raises ValueError with the reason.
    """
    if isinstance(value, int):
        return Bound(f"{value:,}", value, value, True)
    text = value.strip()
    for sign, step in ("<=", 0), (">=", 0), ("==", 0), ("<", -1), (">", 1):
        if text.startswith(sign):
            limit = _number(text[len(sign) :])
            if sign == "==":
                return Bound(f"{limit:,}", limit, limit, True)
            low, high = (None, limit + step) if sign[0] == "<" else (limit + step, None)
            return Bound(text, low, high, False)
    if ".." in text:
        low, _, high = text.partition("..")
        return Bound(text, _number(low), _number(high), False)
    if text[:1].isdigit() and not any(sign in text for sign in "*+-/("):
        limit = _number(text)
        return Bound(f"{limit:,}", limit, limit, True)
    try:
        size = parse_size(text)
    except ExpressionError as error:
        raise ValueError("neither a count, nor a bound, nor a size") from error
    return Bound(text, size, size, True)


def _number(text: str) -> int:
    digits = text.strip().replace("_", "").replace(",", "")
    unit = digits.lstrip("0123456789.")
    amount = digits[: len(digits) - len(unit)]
    unit = unit.strip().removesuffix("B")
    whole, _, fraction = amount.partition(".")
    if unit not in SUFFIXES or not (whole + fraction).isdecimal() or len(amount) > 40:
        raise ValueError(f"`{text.strip()}` is not a count")
    scaled, parts = int(whole + fraction) * SUFFIXES[unit], int("1" + "0" * len(fraction))
    if scaled % parts:
        raise ValueError(f"`{text.strip()}` is not a whole number")
    return scaled // parts


def parse_sizes(value: Any) -> Any:
    """Return the sizes that `input_sizes` gives a symbol. Raises ValueError with the reason.

    `224`, `any`, `>= 32`, `32..512`, `multiple of 32`, `multiple of 32 from 64`.
    """
    from .input_sizes import Sizes

    if isinstance(value, int):
        return Sizes(value, 1, value)
    words = value.split()
    text = "".join(words)
    if text == "any":
        return Sizes()
    if text.startswith(">="):
        return Sizes(_size(text[2:]))
    if words[:2] == ["multiple", "of"] and len(words) in (3, 5):
        step = _size(words[2])
        start = _size(words[4]) if len(words) == 5 and words[3] == "from" else step
        if len(words) == 5 and words[3] != "from":
            raise ValueError("write `multiple of 32 from 64`")
        return Sizes(-(-start // step) * step, step)
    if ".." in text:
        low, _, high = text.partition("..")
        if _size(high) < _size(low):
            raise ValueError("the range is empty")
        return Sizes(_size(low), 1, _size(high))
    if text.isdecimal():
        return Sizes(_size(text), 1, _size(text))
    raise ValueError("write a number, `any`, `>= 32`, `32..512` or `multiple of 32`")


def _size(text: str) -> int:
    if not text.isdecimal() or len(text) > 18 or int(text) < 1:
        raise ValueError(f"`{text}` is not a size of at least 1")
    return int(text)


def applicable(net: Net) -> list[tuple[Place, dict[str, Any]]]:
    """Return the expectations of a spec that are about this net, each with its place."""
    from ..expand import Choice

    spec = net.spec
    listed = isinstance(spec.document.value.get("expect"), list)
    found = []
    for index, expected in enumerate(net.flat.expect):
        path = ("expect", index) if listed else ("expect",)
        if "scale" in expected and net.scale not in as_list(expected["scale"]):
            continue
        choice: Choice = net.choice
        include = as_list(expected.get("include", []))
        exclude = as_list(expected.get("exclude", []))
        if include and not any(map(choice.meets, include)):
            continue
        if any(map(choice.meets, exclude)):
            continue
        found.append((Place(spec.document, path), expected))
    return found


def judge(net: Net, report: Report, sizes: Mapping[str, int], changed: bool = False) -> None:
    """Report every expectation of its spec that a net does not meet.

    `sizes` are those the net was inferred at. Exact expectations describe the file as it is
    written: with variables or shapes `changed`, or at other sizes, only bounds are judged.
    """
    for place, expected in applicable(net):
        at = {**batch(net), **expected.get("at", {})}
        given = expected.get("at", {})
        if any(name in given and given[name] != size for name, size in sizes.items()):
            continue
        exact = not changed and all(at.get(name) == size for name, size in sizes.items())
        for key, value in expected.items():
            if key in COUNTS:
                _judge_count(net, report, place.at(key), value, at, exact)
            elif key == "receptive_field":
                _judge_field(net, report, place.at(key), value, exact)
            elif key == "outputs" and exact:
                _judge_outputs(net, report, place.at(key), value, at)
            elif key == "input_sizes":
                _judge_sizes(net, report, place.at(key), value, sizes)


def reference(net: Net) -> dict[str, int]:
    """Return the sizes to give costs at: those of an expectation, one item of the batch else."""
    found = batch(net)
    for _, expected in applicable(net):
        if "at" in expected:
            found.update(expected["at"])
            break
    return found


def _judge_count(
    net: Net, report: Report, place: Place, value: Any, at: Mapping[str, int], exact: bool
) -> None:
    key = str(place.path[-1])
    try:
        wanted = parse_bound(value)
    except ValueError as error:
        report.add(codes.BadExpectation, place.span(), key=key, value=value, reason=str(error))
        return
    if wanted.exact and not exact:
        return
    found = count(net, key, at)
    if wanted.exact and isinstance(wanted.low, Dim):
        wanted.low = wanted.low.at(at)
    holds = None if found is None else wanted.holds(found)
    if holds:
        return
    facts = {"key": key, "wanted": wanted.text, "found": "a size for every symbol is needed"}
    if found is not None:
        facts["found"] = number(found)
    if holds is None or isinstance(found, Dim):
        free = ", ".join(sorted(found.symbols)) if isinstance(found, Dim) else ""
        facts["hint"] = f"give {free or 'every size'} under `at:`"
    report.add(codes.Expectation, place.span(), _contributors(net, key, at), **facts)


def count(net: Net, key: str, at: Mapping[str, int]) -> Size | None:
    """Return one count of a net at some sizes; None for memory where a size stays open."""
    if key == "memory":
        from .memory import memory

        found = memory(net, at)
        if found is None:
            return None
        return found.training if net.phase == "train" else found.inference
    if key == "macs":
        return bound(macs(net), at)
    params = net.params
    named: dict[str, Size] = {
        "params": params.total, "trainable": params.trainable, "frozen": params.frozen,
        "buffers": params.buffers,
    }  # fmt: skip
    return bound(named[key], at)


def _contributors(net: Net, key: str, at: Mapping[str, int]) -> list[Any]:
    """Return the layers that add most to a count, as related places."""
    shares: dict[str, tuple[str, Callable[[Node], Size]]] = {
        "macs": ("MACs", lambda node: node.macs),
        "buffers": ("buffers", lambda node: _sum(w.size for w in node.state if w.owner is None)),
        "trainable": ("weights", lambda node: _sum(
            w.size for w in node.weights if w.owner is None and w.trainable)),
        "frozen": ("weights", lambda node: _sum(
            w.size for w in node.weights if w.owner is None and not w.trainable)),
    }  # fmt: skip
    unit, share = shares.get(key, ("weights", weights_of))
    sized = [(bound(share(node), at), node) for node in net.flat.nodes]
    known = [(size, node) for size, node in sized if not isinstance(size, Dim) and size]
    known.sort(key=lambda pair: pair[0], reverse=True)
    return [
        (node.place.span("name"), f"`{node.name}` has {size:,} {unit}")
        for size, node in known[:SHOWN]
    ]


def _sum(sizes: Any) -> Size:
    whole: Size = 0
    for size in sizes:
        whole = whole + size
    return whole


def _judge_field(net: Net, report: Report, place: Place, value: Any, exact: bool) -> None:
    from .receptive_field import largest

    field = largest(net)
    found: tuple[Any, ...] = field.size if field else ()
    wanted = value if isinstance(value, list) else [value] * max(len(found), 1)
    try:
        bounds = [parse_bound(item) for item in wanted]
    except ValueError as error:
        report.add(
            codes.BadExpectation, place.span(), key="receptive_field", value=value,
            reason=str(error),
        )  # fmt: skip
        return
    if not exact and any(item.exact for item in bounds):
        return
    if len(bounds) != len(found) or not all(
        item.holds(size) for item, size in zip(bounds, found, strict=True)
    ):
        report.add(
            codes.Expectation, place.span(), key="receptive_field", wanted=value,
            found="x".join(map(str, found)) or "none: no blob has one",
        )  # fmt: skip


def _elsewhere(net: Net, name: str) -> bool:
    """Return whether a rule leaves the layer that makes a blob out of this phase or stage."""
    if any(node.name == name for node in net.flat.nodes):
        return False
    return any(
        name in as_list(entry.get("top", entry["name"]))
        for entry in net.spec.layers
        if "include" in entry or "exclude" in entry
    )


def _judge_outputs(
    net: Net, report: Report, place: Place, value: dict[str, Any], at: Mapping[str, int]
) -> None:
    outputs = net.outputs
    for name, dims in value.items():
        if name not in outputs and _elsewhere(net, name):
            continue
        if name not in outputs:
            report.add(
                codes.Expectation, place.key_span(name), key="the output", wanted=name,
                found=list(outputs),
            )  # fmt: skip
            continue
        sizes: list[Size] = []
        for axis, dim in enumerate(dims):
            try:
                sizes.append(parse_size(dim) if isinstance(dim, str) else dim)
            except ExpressionError as error:
                span = place.document.span_in((*place.path, name, axis), error.start, error.end)
                report.add(error.code, span, (), **error.facts)
                break
        else:
            blob = outputs[name]
            bounded = [bound(size, at) for size in sizes]
            if bounded != [bound(size, at) for size in blob.shape]:
                maker = net.flat.outputs[name].maker
                related = [(maker.place.span("name"), f"`{name}` is {blob}")] if maker else []
                report.add(
                    codes.Expectation, place.span(name), related, key=name,
                    wanted="x".join(map(str, sizes)), found=str(blob),
                )  # fmt: skip


def _judge_sizes(
    net: Net, report: Report, place: Place, value: dict[str, Any], sizes: Mapping[str, int]
) -> None:
    from .input_sizes import misfit

    known = {
        name for blob in net.inputs.values() for size in blob.shape if isinstance(size, Dim)
        for name in size.symbols
    }  # fmt: skip
    allowed: dict[str, Any] = {}
    for name, item in value.items():
        if name not in known:
            if name not in sizes:
                report.add(codes.UnknownSymbol, place.key_span(name), what="size", name=name)
            continue
        try:
            allowed[name] = parse_sizes(item)
        except ValueError as error:
            report.add(
                codes.BadExpectation, place.span(name), key=name, value=item, reason=str(error)
            )
    found = misfit(net, allowed) if allowed else None
    if found is not None:
        shown = {name: size for name, size in found.sizes.items() if name in known}
        node = net.flat.layer_names.get(found.layer)
        first = next((name for name in shown if name in allowed), next(iter(allowed)))
        report.add(
            codes.ExpectedSize, place.span(first),
            [(node.place.span("name"), "this layer")] if node else [],
            layer=found.layer, reason=found.reason,
            sizes=", ".join(f"{name}={size}" for name, size in shown.items()),
        )  # fmt: skip


def number(size: Size) -> str:
    """Return a count as it is shown: thousands apart, symbolic ones as written."""
    return f"{size:,}" if isinstance(size, int) else str(size)
