"""netspec zoo: the specs that come with netspec.

Each is checked, edited or built as `zoo:NAME`, where NAME is a spec or one of its scales.
"""

from __future__ import annotations

import os
import sys

from ..diagnostics import Report, SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from ..spec import Spec


def arguments(parser: ArgumentParser) -> None:
    """Declare the options of `netspec zoo`."""
    parser.add_argument("--path", action="store_true", help="print the folder they are in")


def run(options: Namespace) -> int:
    """List the shipped specs by name, with what each expects."""
    from .. import zoo

    if options.path:
        sys.stdout.write(f"{zoo.folder()}\n")
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
