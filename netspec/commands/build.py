"""netspec build: a net as a PyTorch module, its source and its weights.

The source needs torch alone. Without -o it goes to the standard output; -o FILE.py writes it to
a file, and -o FOLDER writes model.py, model.safetensors and the spec.

examples:
  netspec build zoo:resnet50 -o resnet50.py
  netspec build net.yaml --phase train --set classes=5 -o out/
"""

from __future__ import annotations

import os
import sys

from ..diagnostics import Report
from ..expand import Choice
from ..output import atomic_write
from ..pipeline import compile_net, open_spec
from .check import Asked, choices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from ..net import Net


def arguments(parser: ArgumentParser) -> None:
    """Declare the options of `netspec build`."""
    parser.add_argument("spec", metavar="SPEC", help="a spec file, zoo:NAME, or -")
    parser.add_argument("-o", "--output", metavar="FILE", help="FILE.py, or a folder")
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    parser.add_argument("--outputs", metavar="BLOB,BLOB", help="blobs to return, or `all`")
    parser.add_argument("--weights", metavar="FILE", help="weights to start from")
    choices(parser)


def run(options: Namespace) -> int:
    """Build one net; return 0, or 1 where the spec is wrong."""
    from .. import api

    target = options.output
    single = target is None or (target.endswith(".py") and not os.path.isdir(target))
    if options.weights and single:
        sys.stderr.write("netspec build: --weights needs -o FOLDER: source holds no weights\n")
        return 2
    asked = Asked(options, True)
    report = Report()
    spec, scale = open_spec(options.spec, report, asked.shapes)
    phase, scale = asked.phase or "test", asked.scale or scale
    choice = Choice(phase, scale, asked.stages, asked.level, asked.vars)
    net = compile_net(spec, choice, report, asked.at, asked.shapes)
    outputs = options.outputs
    if outputs is not None and outputs != "all":
        outputs = [name.strip() for name in outputs.split(",")]
    text = api.source(net, outputs=outputs)
    if target is None:
        sys.stdout.write(text)
    elif single:
        atomic_write(target, text, force=options.force)
    else:
        _write_folder(net, text, outputs, options)
    return 0


def _write_folder(net: Net, text: str, outputs: list[str] | str | None, options: Namespace) -> None:
    from .. import api, codes

    model = api.build(net, outputs=outputs, weights=options.weights)
    from safetensors.torch import save

    weights = save({name: value.contiguous() for name, value in model.state_dict().items()})
    folder = options.output
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        Report().fatal(codes.CannotWrite, None, file=folder, reason=reason)
    source = net.spec.document.source
    name = os.path.basename(source.name) if source.name.endswith((".yaml", ".yml")) else "spec.yaml"
    for file, data in ("model.py", text), ("model.safetensors", weights), (name, source.text):
        atomic_write(os.path.join(folder, file), data, force=options.force)
