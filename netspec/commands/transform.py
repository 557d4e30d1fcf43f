"""netspec transform: a net changed as a whole, with its weights.

The changed spec keeps the text of the old one: its comments, variables and blocks. What was
changed is listed; what cannot be is refused, with the place. With --weights the weights are
carried over: they keep their names, and get the shapes of the new net.

transforms:
  fc2conv   every dense layer that reads a map becomes a convolution: the net takes any size

examples:
  netspec transform fc2conv zoo:caffenet -o caffenet_conv.yaml
  netspec transform fc2conv zoo:vgg16 -o vgg16_conv.yaml
      --weights vgg16.safetensors --weights-out vgg16_conv.safetensors
  netspec transform fc2conv deploy.prototxt -o net.yaml
      --weights net.caffemodel --weights-out net.safetensors
"""

from __future__ import annotations

import json
import os
import re
import sys

from .. import codes
from ..diagnostics import Report
from ..document import parse, read_bytes, read_text
from ..expand import Choice
from ..output import atomic_write
from ..pipeline import NATIVE, compile_net, open_spec
from ..plugins import Folder
from ..spec import validate
from .check import Asked, choices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any, NoReturn

    from ..net import Net
    from ..spec import Spec

    Shapes = Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]

transforms = Folder("netspec.transforms", "netspec.transforms")
HEADER = 100_000_000  # bytes; the limit is that of safetensors


def arguments(parser: ArgumentParser) -> None:
    """Declare the options of `netspec transform`."""
    parser.add_argument("transform", choices=list(transforms), help="what to do")
    parser.add_argument("spec", metavar="SPEC", help="a spec file, zoo:NAME, or -")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to; else to the output")
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    parser.add_argument("--weights", metavar="FILE", help="weights of the net: a .safetensors "
                        "or .caffemodel")  # fmt: skip
    parser.add_argument("--weights-out", metavar="FILE", help="where to with them, as safetensors")
    choices(parser)


def run(options: Namespace) -> int:
    """Transform one spec; return 0, or 1 where that cannot be."""
    if bool(options.weights) != bool(options.weights_out):
        sys.stderr.write("netspec transform: --weights and --weights-out need each other\n")
        return 2
    asked = Asked(options, True)
    report = Report()
    spec, scale = _open(options.spec, asked, report)
    scale = asked.scale or scale
    scales: Sequence[str | None] = [scale] if scale else list(spec.scales) or [None]
    chosen = [
        Choice(asked.phase or "test", each, asked.stages, asked.level, asked.vars)
        for each in scales
    ]
    module: Any = transforms.find(options.transform)
    file = options.output or "-"
    made = module.transform(spec, chosen, report, asked.at, asked.shapes, file)
    if options.weights:
        if len(chosen) > 1:
            report.fatal(codes.MissingScale, None, scales=", ".join(spec.scales),
                         hint="weights are of one net: choose its scale with --scale")  # fmt: skip
        net = compile_net(spec, chosen[0], report, asked.at, asked.shapes)
        atomic_write(
            options.weights_out, reshaped(options.weights, net, made.weights), options.force
        )
    if options.output is None:
        sys.stdout.write(made.text)
    else:
        atomic_write(options.output, made.text, force=options.force)
    changes = sys.stderr if options.output is None else sys.stdout
    changes.write("".join(f"{change}\n" for change in made.changes))
    return 0


def _open(path: str, asked: Asked, report: Report) -> tuple[Spec, str | None]:
    """Return the spec of a path; a foreign file is written as YAML first, to be changed there."""
    if path.startswith("zoo:") or path.endswith(NATIVE):
        return open_spec(path, report)
    from ..importers import foreign

    raw = path == "-" or not foreign.kind_of(path, read_bytes(path, report, _size(path)))
    if raw:
        return open_spec(path, report)
    text = foreign.spec_text(path, report, asked.shapes, flat=True)
    asked.shapes = {}  # they stand in the text now
    return validate(parse(read_text(path, text, report), report), report), None


def reshaped(path: str, net: Net, shapes: Shapes) -> bytes:
    """Return a file of weights as safetensors, with other shapes for some of them.

    The numbers stay as they are and where they are: only the table before them changes.
    """
    from ..importers import weights

    if weights.kind_of(path) == "safetensors":
        raw = read_bytes(path, Report(), _size(path))
    else:
        raw = weights.as_safetensors(net, weights.of_net(net, path))
    size = int.from_bytes(raw[:8], "little")
    table = _table(path, raw[8 : 8 + size] if size <= HEADER else b"")
    misfits = []
    for name, (old, new) in shapes.items():
        entry = next((table[key] for key in _keys(name) if key in table), None)
        if entry is None:
            misfits.append(f"the file has no `{name}`")
        elif entry["shape"] != list(old):
            found, wanted = ("x".join(map(str, shape)) for shape in (entry["shape"], old))
            misfits.append(f"`{name}` is {found} in the file, {wanted} in the net")
        else:
            entry["shape"] = list(new)
    if misfits:
        Report().fatal(codes.WeightsMisfit, None, file=path, misfits="; ".join(misfits[:4]))
    header = json.dumps(table, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return b"".join((len(header).to_bytes(8, "little"), header, memoryview(raw)[8 + size :]))


def _table(path: str, header: bytes) -> dict[str, dict[str, Any]]:
    try:
        table = json.loads(header)
    except (ValueError, RecursionError):
        _unreadable(path)
    if not isinstance(table, dict) or not all(
        isinstance(entry, dict) and (name == "__metadata__" or isinstance(entry.get("shape"), list))
        for name, entry in table.items()
    ):
        _unreadable(path)
    return table


def _unreadable(path: str) -> NoReturn:
    Report().fatal(codes.UnreadableFile, None, file=path, reason="its table of weights is damaged")


def _keys(name: str) -> list[str]:
    """Return what a weight may be called: as the layer, as the module, as a parametrized one."""
    layer, _, weight = name.rpartition(".")
    module = re.sub(r"[^A-Za-z0-9_.]", "_", layer)
    places = dict.fromkeys((layer, module, f"{module}_"))
    return [
        f"{place}.{said}" for place in places
        for said in (weight, f"parametrizations.{weight}.original")
    ]  # fmt: skip


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except (OSError, ValueError):
        return 0  # reading says why
