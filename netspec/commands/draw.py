"""netspec draw: a net as DOT, SVG, PNG, PDF or Mermaid.

Shapes are on the edges, weights and MACs on the nodes; blocks are frames, and those below
--depth one node each. SVG, PNG and PDF need Graphviz: `dot` on PATH, or the pygraphviz wheel.
Without --phase the test net is drawn; without --scale, that of the spec's own variables.

examples:
  netspec draw zoo:resnet50 -o net.svg
  netspec draw net.yaml -o net.png --at H=224,W=224 --depth 2
  netspec draw net.yaml --phase train --format mmd
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentTypeError

from .. import codes
from ..diagnostics import Report, SpecError, printable
from . import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from ..net import Net

FORMATS = ("dot", "svg", "png", "pdf", "mmd")
ENDINGS = {f".{format}": format for format in FORMATS} | {".gv": "dot", ".mermaid": "mmd"}


def arguments(parser: ArgumentParser) -> None:
    """Declare the options of `netspec draw`."""
    parser.add_argument("spec", metavar="SPEC", help="file, zoo:name, -")
    check.choices(parser)
    parser.add_argument("-o", "--output", default="-", metavar="FILE",
                        help="where to; DOT on the standard output by default")  # fmt: skip
    parser.add_argument("--force", action="store_true", help="replace FILE if it is there")
    parser.add_argument("--format", choices=FORMATS, help="what to write; by the ending of FILE")
    parser.add_argument("--depth", type=depth, metavar="N",
                        help="levels of blocks shown; by default, what fits a page")  # fmt: skip
    parser.add_argument("--direction", choices=("TB", "LR"), default="TB",
                        help="top to bottom, or left to right")  # fmt: skip


def run(options: Namespace) -> int:
    """Draw one net; return 1 where the spec is wrong or the drawing fails."""
    from importlib import import_module

    from ..output import atomic_write, refuse_input
    from ..plugins import checkout

    output: str = options.output
    try:
        format = options.format or _format(output)
        net = _net(options)
        checkout()
        drawn: str | bytes = import_module("netspec_graphviz").draw(
            net, format, options.depth, options.direction, note=_note
        )
        if output != "-":
            refuse_input(output, options.spec)
            atomic_write(output, drawn, force=options.force)
            return 0
    except SpecError as error:  # the standard output may be the drawing's
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.flush()
    sys.stdout.buffer.write(drawn.encode() if isinstance(drawn, str) else drawn)
    return 0


def depth(text: str) -> int:
    """Return the number of levels that `--depth` gives."""
    if not text.isascii() or not text.isdecimal() or len(text) > 4 or not int(text):
        raise ArgumentTypeError(f"a depth is at least 1, not `{printable(text)[:80]}`")
    return int(text)


def _net(options: Namespace) -> Net:
    from ..expand import Choice
    from ..pipeline import compile_net, open_spec

    asked = check.Asked(options, lone=True)
    report = Report()
    spec, scale = open_spec(options.spec, report, asked.shapes)
    if unknown := check._unknown(spec, asked):
        raise SpecError(unknown)
    choice = Choice(
        asked.phase or "test", asked.scale or scale, asked.stages, asked.level, asked.vars
    )
    return compile_net(spec, choice, report, asked.at, asked.shapes)


def _format(output: str) -> str:
    ending = os.path.splitext(output)[1].lower()
    if output == "-":
        return "dot"
    if ending not in ENDINGS:
        Report().fatal(
            codes.BadOutputName, None, file=output,
            reason=f"its ending is none of {' '.join(ENDINGS)}",
            hint="end it with one of them, or give --format",
        )  # fmt: skip
    return ENDINGS[ending]


def _note(text: str) -> None:
    sys.stderr.write(f"note: {printable(text)}\n")
