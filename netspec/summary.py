"""The table of a net: layers, shapes, weights and MACs, then what they add up to."""

from __future__ import annotations

from .analysis.cost import bound, total, weights_of
from .diagnostics import crop, printable
from .dim import Dim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .dim import Size
    from .graph import Node, Value
    from .net import Net

HEADS = ("layer", "type", "output shape", "weights", "MACs")
WIDEST = 48  # of a name, a shape or a symbolic count
LINE = 100  # of a symbolic total
SCALAR = "scalar"


def table(net: Net, depth: int | None = None) -> str:
    """Return the table of a net: a row for each layer, then the totals.

    With `depth`, blocks nested deeper are one row each.
    """
    from .analysis.expectations import reference

    at = reference(net)
    rows = _rows(net, at) if depth is None else _folded(net, at, depth)
    lines = [title(net), *_aligned(rows), *totals(net, at)]
    return "\n".join(lines) + "\n"


def title(net: Net) -> str:
    """Return the name of a net with the choices that made it."""
    words = [f"phase {net.phase}"]
    if net.scale is not None:
        words.append(f"scale {net.scale}")
    if net.stages:
        words.append(f"stage {', '.join(net.stages)}")
    return printable(f"{net.spec.name}: {', '.join(words)}")


def _rows(net: Net, at: Mapping[str, int]) -> list[Sequence[str]]:
    shapes: dict[Any, str] = {}
    costs: dict[Size, str] = {0: ""}
    counts: dict[Any, str] = {0: ""}
    rows: list[Sequence[str]] = []
    for name, value in net.flat.inputs.items():
        rows.append((name, "input", _shape(value, shapes), "", ""))
    for node in net.flat.nodes:
        tops = node.tops
        if len(tops) == 1:
            shape = _shape(tops[0], shapes)
        else:
            shape = crop(", ".join(_shape(top, shapes) for top in tops), WIDEST)
        weights = ""
        if node.weights:
            size = weights_of(node)
            if size not in counts:
                counts[size] = _short(size)
            weights = counts[size] or "shared"
        if node.macs not in costs:
            costs[node.macs] = _short(bound(node.macs, at))
        rows.append((node.name, node.type, shape, weights, costs[node.macs]))
    return rows


def _folded(net: Net, at: Mapping[str, int], depth: int) -> list[Sequence[str]]:
    groups: dict[str, list[Node]] = {}
    for node in net.flat.nodes:
        path = node.name.split(".")
        groups.setdefault(".".join(path[: max(depth, 1)]), []).append(node)
    shapes: dict[Any, str] = {}
    rows: list[Sequence[str]] = []
    for name, value in net.flat.inputs.items():
        rows.append((name, "input", _shape(value, shapes), "", ""))
    for name, nodes in groups.items():
        last = nodes[-1]
        single = len(nodes) == 1 and last.name == name
        weights = total(weights_of(node) for node in nodes)
        cost = bound(total(node.macs for node in nodes), at)
        shape = ", ".join(_shape(top, shapes) for top in last.tops)
        kind = last.type if single else f"{len(nodes)} layers"
        rows.append((name, kind, crop(shape, WIDEST), _short(weights), _short(cost)))
    return rows


def _shape(value: Value, seen: dict[Any, str]) -> str:
    if value.blob is None:
        return "?"
    shape = value.blob.shape
    text = seen.get(shape)
    if text is None:
        text = seen[shape] = crop(str(value.blob), WIDEST) or SCALAR
    return text


def _short(size: Size) -> str:
    if isinstance(size, Dim):
        return crop(str(size), WIDEST)
    return f"{size:,}" if size else ""


def _aligned(rows: list[Sequence[str]]) -> list[str]:
    columns = list(zip(*rows, strict=True)) or [()] * len(HEADS)
    widths = [
        max(len(head), max(map(len, column), default=0))
        for head, column in zip(HEADS, columns, strict=True)
    ]
    widths[0] = min(widths[0], WIDEST)
    form = "%-{}s  %-{}s  %-{}s  %{}s  %{}s".format(*widths)
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    body = "\n".join([(form % row).rstrip() for row in rows])
    if not body.isprintable():
        body = "\n".join(map(printable, body.split("\n")))
    return [form % HEADS, rule, *([body] if rows else []), rule]


def totals(net: Net, at: Mapping[str, int]) -> list[str]:
    """Return what the layers add up to, a line each."""
    from .analysis.memory import memory

    params = net.params
    rows = [
        ("params", f"{_long(params.total)} ({_long(params.trainable)} trainable, "
                   f"{_long(params.frozen)} frozen), {_long(params.buffers)} buffers"),
        ("MACs", costs(net, at)),
    ]  # fmt: skip
    used = memory(net, at)
    if used is not None:
        blobs = (
            f"{_bytes(used.saved)} blobs saved in training"
            if net.phase == "train"
            else f"{_bytes(used.peak)} blobs at their peak"
        )
        rows.append(("memory", f"{_bytes(used.weights)} weights, {blobs}"))
    for name, blob in net.inputs.items():
        rows.append(("input", f"{name}  {str(blob) or SCALAR}  {blob.dtype}"))
    for name, blob in net.outputs.items():
        rows.append(("output", f"{name}  {str(blob) or SCALAR}  {blob.dtype}"))
    if net.fits:
        from .analysis.input_sizes import least

        smallest = least(net)
        shown = ", ".join(f"{name} >= {size:,}" for name, size in sorted(smallest.items()))
        rows.append(("sizes", shown))
    rows += [("condition", condition.text) for condition in net.conditions]
    return [f"{head:<10}{printable(text)}" for head, text in rows]


def costs(net: Net, at: Mapping[str, int]) -> str:
    """Return the MACs of a net in words: at the sizes costs are given at, where all are known."""
    macs = net.macs
    if not isinstance(macs, Dim):
        return f"{macs:,}, FLOPs {2 * macs:,} (2 for each MAC)"
    known = macs.at(at)
    sizes = ", ".join(f"{name}={at[name]}" for name in sorted(macs.symbols & at.keys()))
    where = f" at {sizes}" if sizes else ""
    if isinstance(known, Dim):
        return f"{crop(str(known), LINE)}{where}, FLOPs twice that"
    return f"{known:,}, FLOPs {2 * known:,} (2 for each MAC){where}"


def difference(trained: Net, deployed: Net) -> list[str]:
    """Return the counts as trained and as deployed, where they differ."""
    from .analysis.expectations import reference

    pairs = [(trained, "as trained"), (deployed, "as deployed")]
    sides = [(label, _long(net.params.total), costs(net, reference(net))) for net, label in pairs]
    if sides[0][1:] == sides[1][1:]:
        return []
    return [f"{label:<12}params {params}, MACs {macs}" for label, params, macs in sides]


def _long(size: Size) -> str:
    return f"{size:,}" if isinstance(size, int) else crop(str(size), LINE)


def _bytes(count: int) -> str:
    for power, unit in (3, "GiB"), (2, "MiB"), (1, "KiB"):
        if count >= 1024**power:
            return f"{count / 1024**power:,.1f} {unit}"
    return f"{count} B"


def bundle(net: Net) -> dict[str, str]:
    """Return a net as notebooks show it; never raises."""
    try:
        text = table(net)
    except Exception as error:
        text = f"{type(net).__name__} that cannot be shown: {type(error).__name__}"
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text/plain": text, "text/html": f"<pre>{safe}</pre>"}
