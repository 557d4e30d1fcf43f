"""netspec zoo: the specs that come with netspec.

Each is checked, drawn or built as `zoo:NAME`, where NAME is a spec or one of its scales.
"""

from __future__ import annotations

import os
import sys
from math import ceil

from ..diagnostics import Report, SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from typing import Any

    from ..net import Net
    from ..spec import Spec

HEAD = """# Nets with names

`netspec zoo --write` wrote this file. Each name works as `zoo:NAME`: `netspec check zoo:NAME` shows
its layers.

* *params*: learnable weights, + those that are frozen, without those of training alone.
* *MACs*: of one item, at the sizes the spec's `expect:` names; \u2013 where it names none.
* *field*: the largest receptive field of a layer, in elements of the input, as far as sliding
  windows lead from it; \u2013 where none does.
* *lecture*: the documents of the course that name the net, 0 to 4;
  [docs/course.md](../docs/course.md) follows them.
* *agrees with*: what the tests compare outputs with, to 1e-5 of the largest: Caffe itself, a
  library that has the net, OpenCV reading it, or, by hand, a PyTorch module written from the
  paper and not from the spec. Large nets are compared narrowed.

| name | input | params | MACs | field | lecture | agrees with | source |
|---|---|---:|---:|---:|---|---|---|
"""


def arguments(parser: ArgumentParser) -> None:
    """Declare the options of `netspec zoo`."""
    parser.add_argument("--path", action="store_true", help="print the folder they are in")
    parser.add_argument("--write", action="store_true", help="renew the README.md of that folder")


def run(options: Namespace) -> int:
    """List the shipped specs by name, with what each expects."""
    from .. import zoo

    if options.path:
        sys.stdout.write(f"{zoo.folder()}\n")
        return 0
    if options.write:
        from ..output import atomic_write

        atomic_write(os.path.join(zoo.folder(), "README.md"), markdown(), force=True)
        return 0
    rows = [("name", "params", "MACs", "about")]
    for file in zoo.files():
        rows += _rows(file.removesuffix(".yaml"), os.path.join(zoo.folder(), file))
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:3]]
    form = "{:<%d}  {:>%d}  {:>%d}  {}" % tuple(widths)  # noqa: UP031
    sys.stdout.write("\n".join(form.format(*row).rstrip() for row in rows) + "\n")
    return 0


def _rows(name: str, path: str) -> list[tuple[str, str, str, str]]:
    from ..document import parse, read
    from ..spec import Spec

    report = Report()
    try:
        document = parse(read(path, report), report)
        spec = Spec(document)
    except (SpecError, KeyError, TypeError, AttributeError):
        return [(name, "", "", "cannot be read: `netspec check` says why")]
    source = str(document.value.get("source", ""))
    if not spec.scales:
        return [(name, *_expected(spec, None), source)]
    rows = [(name, "", "", source)]
    return rows + [(f"  {scale}", *_expected(spec, scale), "") for scale in spec.scales]


def _expected(spec: Spec, scale: str | None) -> tuple[str, str]:
    from ..spec import as_list

    for expected in spec.expect:
        if scale is None or scale in as_list(expected.get("scale", scale)):
            return _shown(expected.get("params")), _shown(expected.get("macs"))
    return "", ""


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value or "")


def markdown() -> str:
    """Return the README of the shipped specs: a row for each net."""
    from .. import zoo

    rows = []
    for file in zoo.files():
        names = zoo.scales(os.path.join(zoo.folder(), file)) or [file.removesuffix(".yaml")]
        rows += [_markdown_row(name, file) for name in names]
    return HEAD + "".join(rows)


def _markdown_row(name: str, file: str) -> str:
    from ..analysis.expectations import count, reference
    from ..analysis.receptive_field import largest
    from ..dim import Dim

    net = _net(name)
    at = reference(net)
    params = f"{net.params.trainable:,}"
    if net.params.frozen:
        params += f" + {net.params.frozen:,}"
    macs = count(net, "macs", at)
    field = largest(net)
    said = net.spec.document.value
    cells = [
        f"[{name}]({file})",
        ", ".join(_shape(blob.shape) for blob in net.inputs.values()),
        params,
        "\u2013" if macs is None or isinstance(macs, Dim) else f"{macs:,}",
        _field(field.size) if field else "\u2013",
        " ".join(map(str, said.get("x-lectures", []))),
        str(said.get("x-reference", "")),
        _link(str(said.get("source", ""))),
    ]
    return f"| {' | '.join(cells)} |\n"


def _net(name: str) -> Net:
    """Return a shipped net: for use where it has such layers, for training else."""
    from ..pipeline import load

    try:
        return load(f"zoo:{name}")
    except SpecError:
        return load(f"zoo:{name}", phase="train")


def _shape(shape: Any) -> str:
    return "x".join(map(str, shape)) or "1"


def _field(size: Sequence[Any]) -> str:
    """Return a field in whole elements; one that is a single element says nothing."""
    whole = [ceil(extent) for extent in size]
    return _shape(whole) if max(whole) > 1 else "\u2013"


def _link(source: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(source)
    if parts.scheme not in ("http", "https"):
        return source
    shown = parts.netloc.removeprefix("www.")
    if shown == "arxiv.org":
        shown = f"arXiv:{parts.path.rpartition('/')[2]}"
    if shown == "github.com":
        shown = "/".join(parts.path.split("/")[1:3])
    return f"[{shown}]({source})"
