"""netspec import: a Caffe prototxt, a solver or a darknet cfg as a spec, and its weights.

Every command takes such a file in place of a spec; this one writes the spec, to be read and
changed. What repeats becomes a block. With --weights the weights go to a safetensors file.

examples:
  netspec import deploy.prototxt -o net.yaml
  netspec import train_val.prototxt --shape data=N,3,227,227 -o net.yaml
  netspec import deploy.prototxt --weights net.caffemodel -o net.yaml
"""

from __future__ import annotations

import os
import sys

from .. import codes
from ..diagnostics import Report, SpecError
from ..output import atomic_write, refuse_input
from .check import shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from typing import Any


def arguments(parser: ArgumentParser) -> None:
    """Declare the options of `netspec import`."""
    parser.add_argument("file", metavar="FILE", help="a .prototxt or a .cfg; - reads one")
    parser.add_argument("-o", "--output", metavar="SPEC", help="where to; else to the output")
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    parser.add_argument("--flat", action="store_true", help="no blocks: a line for each layer")
    parser.add_argument("--shape", action="append", default=[], type=shape,
                        metavar="INPUT=N,3,224,224", dest="shapes",
                        help="the shape of an input")  # fmt: skip
    parser.add_argument("--allow-unknown", action="store_true",
                        help="leave out fields that nobody knows")  # fmt: skip
    parser.add_argument("--weights", metavar="FILE",
                        help="weights of the net, to SPEC's name with .safetensors")  # fmt: skip


def run(options: Namespace) -> int:
    """Import one file; return 0, or 1 where it cannot be."""
    from ..importers import foreign

    report = Report()
    shapes = dict(options.shapes)
    try:
        text = foreign.spec_text(options.file, report, shapes, options.allow_unknown, options.flat)
    except SpecError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    if options.output is None:
        sys.stdout.write(text)
    else:
        refuse_input(options.output, options.file)
        atomic_write(options.output, text, force=options.force)
    if options.weights:
        return _weights(options, shapes)
    return 0


def _weights(options: Namespace, shapes: dict[str, Sequence[Any]]) -> int:
    from ..importers import weights

    if options.output is None:
        sys.stderr.write("netspec import: --weights needs -o SPEC: the weights go beside it\n")
        return 2
    target = os.path.splitext(options.output)[0] + ".safetensors"
    net, found = weights.of_import(options.file, options.weights, shapes)
    sys.stdout.write(f"{found}\n")
    if found.misfits:
        Report().fatal(
            codes.WeightsMisfit, None, file=options.weights,
            misfits="; ".join(f"{name}: {why}" for name, why in found.misfits[:4]),
        )  # fmt: skip
    atomic_write(target, weights.as_safetensors(net, found), force=options.force)
    return 0
