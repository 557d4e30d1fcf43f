"""netspec build: a net as a PyTorch module, its source and its weights.

The source needs torch alone. Without -o it goes to the standard output; -o FILE.py writes it to
a file, and -o FOLDER writes model.py, model.safetensors, the spec and what it imports: all of
these files, or none.

examples:
  netspec build zoo:resnet50 -o resnet50.py
  netspec build net.yaml --phase train --set classes=5 -o out/
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from ..diagnostics import Report, SpecError
from ..expand import Choice
from ..output import atomic_write, atomic_write_all, refuse_input
from ..pipeline import compile_net, open_spec
from .check import Asked, choices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

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
        refuse_input(target, options.spec)
        atomic_write(target, text, force=options.force)
    else:
        _write_folder(net, text, outputs, options)
    return 0


def _write_folder(net: Net, text: str, outputs: list[str] | str | None, options: Namespace) -> None:
    from .. import api, codes

    model = api.build(net, outputs=outputs, weights=options.weights)
    folder = options.output
    files: dict[str, bytes | str] = {"model.py": text, "model.safetensors": _weights(net, model)}
    for name, written in _specs(net).items():
        there = os.path.join(folder, name)
        if not (os.path.exists(there) and os.path.realpath(there) in _read(net)):
            files.setdefault(name, written)
    made = []
    try:
        for name in files:
            inner = os.path.dirname(os.path.join(folder, name))
            made += _make(inner)
        atomic_write_all(
            {os.path.join(folder, name): data for name, data in files.items()}, options.force
        )
    except BaseException as error:
        for each in reversed(made):
            with suppress(OSError):
                os.rmdir(each)
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            Report().fatal(codes.CannotWrite, None, file=folder, reason=reason)
        raise


def _read(net: Net) -> set[str]:
    """Return the files a net was read from."""
    places = [place for node in net.flat.nodes for place in (node.place, *node.origin)]
    names = {place.document.source.name for place in places} | {net.spec.document.source.name}
    return {os.path.realpath(name) for name in names}


def _make(folder: str) -> list[str]:
    """Make a folder and those around it; return the ones that were not there, outermost first."""
    absent: list[str] = []
    while folder and not os.path.isdir(folder):
        absent.insert(0, folder)
        folder = os.path.dirname(folder)
    for each in absent:
        os.mkdir(each)
    return absent


def _weights(net: Net, model: Any) -> bytes:
    """Return the weights of a module as a safetensors file, which knows no shared ones."""
    from safetensors.torch import save

    from .. import __version__

    seen: set[int] = set()
    tensors = {}
    for name, value in model.state_dict().items():
        place = value.untyped_storage().data_ptr()
        tensors[name] = value.clone() if place in seen else value.contiguous()
        seen.add(place)
    about = {"format": "pt", "netspec": __version__, "spec": net.spec.name, "phase": net.phase}
    if net.scale:
        about["scale"] = net.scale
    data: bytes = save(tensors, metadata=about)
    return data


def _specs(net: Net) -> dict[str, bytes]:
    """Return the file a net was built from and those it imports, by their path from its folder."""
    from ..importers.foreign import SUFFIXES, kind_of
    from ..pipeline import Imports
    from ..spec import Place

    source = net.spec.document.source
    kind = kind_of("", _bytes(source.text))
    ending = {"prototxt": ".prototxt", "darknet": ".cfg"}.get(kind, ".yaml")
    known = source.name.endswith((".yaml", ".yml", ".json", *SUFFIXES))
    found = {os.path.basename(source.name) if known else f"spec{ending}": _bytes(source.text)}
    root = os.path.dirname(os.path.abspath(source.name))
    load = Imports(net.spec, Report())
    pending, seen = [net.spec], set()
    while pending:
        spec = pending.pop()
        for name, file in spec.imports.items():
            if file.startswith("zoo:"):
                continue
            try:
                inner, _ = load(file, Place(spec.document, ("imports", name)))
            except SpecError:
                continue  # an import nothing uses may be broken
            path = os.path.relpath(inner.document.source.name, root)
            if id(inner) not in seen and not path.startswith(os.pardir):
                seen.add(id(inner))
                found.setdefault(path, _bytes(inner.document.source.text))
                pending.append(inner)
    return found


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
