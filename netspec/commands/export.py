"""netspec export: a spec in the format of another framework.

A prototxt holds every phase of the spec, with its blocks written out; symbols must be bound.

examples:
  netspec export net.yaml --format prototxt -o net.prototxt
  netspec export zoo:lenet --shape data=1,1,28,28 --shape label=1
"""

from __future__ import annotations

import sys

from ..diagnostics import Report
from ..output import atomic_write
from .check import Asked, choices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def arguments(parser: ArgumentParser) -> None:
    """Declare the options of `netspec export`."""
    parser.add_argument("spec", metavar="SPEC", help="a spec file, zoo:NAME, or -")
    parser.add_argument("--format", choices=("prototxt",), default="prototxt",
                        help="what to write; prototxt by default")  # fmt: skip
    parser.add_argument("-o", "--output", metavar="FILE", help="where to; else to the output")
    parser.add_argument("--force", action="store_true", help="replace FILE if it is there")
    choices(parser)


def run(options: Namespace) -> int:
    """Export one spec; return 0, or 1 where it is wrong."""
    from ..importers.caffe_write import prototxt
    from ..pipeline import Imports, open_spec

    asked = Asked(options, True)
    report = Report()
    spec, scale = open_spec(options.spec, report, asked.shapes)
    text = prototxt(
        spec, Imports(spec, report), asked.scale or scale, asked.vars, asked.shapes, report,
        asked.phase, asked.at,
    )  # fmt: skip
    if options.output is None:
        sys.stdout.write(text)
    else:
        atomic_write(options.output, text, force=options.force)
    return 0
