"""What `netspec check` found, as text for people, JSON, GitHub annotations or SARIF."""

from __future__ import annotations

import os
import sys

from . import __version__
from .diagnostics import LIMIT, crop, printable
from .dim import Dim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, TypeAlias

    from .commands.check import Checked
    from .diagnostics import Diagnostic
    from .dim import Size
    from .net import LayerView, Net
    from .text import Span

    Format: TypeAlias = Callable[[Iterable[Checked], bool, int | None], Iterator[str]]

SHOWN = 1_000  # diagnostics of one run, where a machine reads them
NAMED = 4  # variants that a diagnostic names


def find(name: str) -> Format:
    """Return the format of a name; each yields its text piece by piece."""
    return {"human": human, "json": json_text, "github": github, "sarif": sarif}[name]


def human(checked: Iterable[Checked], quiet: bool, depth: int | None) -> Iterator[str]:
    """Yield a table for each net, then what is wrong, then one line that sums up."""
    specs = nets = errors = warnings = wrong = 0
    colour = coloured()
    for found in checked:
        specs += 1
        nets += len(found.nets)
        errors += found.errors
        warnings += len(found.diagnostics) - found.errors
        wrong += found.errors > 0
        if not quiet:
            yield from _tables(found, depth)
        for diagnostic in found.diagnostics[:LIMIT]:
            yield _rendered(diagnostic, found.variants(diagnostic), colour) + "\n\n"
        if len(found.diagnostics) > LIMIT:
            yield f"... and {len(found.diagnostics) - LIMIT:,} more\n\n"
    if errors or warnings:
        said = [_counted(errors, "error")] if errors else []
        said += [_counted(warnings, "warning")] if warnings else []
        yield f"{', '.join(said)}: {wrong} of {_counted(specs, 'spec')} wrong\n"
    elif not quiet:
        yield f"ok: {_counted(specs, 'spec')}, {_counted(nets, 'net')}\n"


def _tables(found: Checked, depth: int | None) -> Iterator[str]:
    from .summary import difference, table

    for net in found.nets:
        yield table(net, depth) + "\n"
    plain = [net for net in found.nets if not net.stages]
    for trained in plain:
        if trained.phase == "train":
            deployed = [n for n in plain if n.phase == "test" and n.scale == trained.scale]
            lines = difference(trained, deployed[0]) if deployed else []
            if lines:
                yield "\n".join(lines) + "\n\n"


def _rendered(diagnostic: Diagnostic, variants: Sequence[str], colour: bool) -> str:
    text = diagnostic.render()
    if variants:
        more = f" and {len(variants) - NAMED} more" if len(variants) > NAMED else ""
        text += f"\n  = in: {printable(', '.join(variants[:NAMED]))}{more}"
    if colour:
        head, bracket, rest = text.partition("]")
        shade = "31" if diagnostic.severity == "error" else "33"
        text = f"\x1b[1;{shade}m{head}{bracket}\x1b[0m{rest}"
    return text


def coloured() -> bool:
    """Return whether the output may hold colour."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and sys.stdout is not None and sys.stdout.isatty()


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def json_text(checked: Iterable[Checked], quiet: bool, depth: int | None) -> Iterator[str]:
    """Yield one JSON document, the contract that other tools rely on."""
    import json

    specs: list[Any] = []
    diagnostics: list[Any] = []
    for found in checked:
        nets = [variant(net) for net in found.nets]
        specs.append({"file": found.file, "name": found.name, "variants": nets})
        diagnostics += [each.as_json() for each in found.diagnostics[:SHOWN]]
    yield json.dumps({"netspec": 1, "specs": specs, "diagnostics": diagnostics[:SHOWN]}) + "\n"


def variant(net: Net) -> dict[str, Any]:
    """Return one net as JSON has it."""
    params = net.params
    return {
        "phase": net.phase,
        "scale": net.scale,
        "stages": list(net.stages),
        "params": {
            "total": _size(params.total),
            "trainable": _size(params.trainable),
            "frozen": _size(params.frozen),
            "buffers": _size(params.buffers),
        },
        "macs": _size(net.macs),
        "inputs": {name: _shape(blob.shape) for name, blob in net.inputs.items()},
        "outputs": {name: _shape(blob.shape) for name, blob in net.outputs.items()},
        "conditions": [
            {"layer": each.layer, "text": each.text, "counterexample": each.counterexample}
            for each in net.conditions
        ],
        "layers": [_layer(layer) for layer in net.layers],
    }


def _layer(layer: LayerView) -> dict[str, Any]:
    return {
        "name": layer.name,
        "type": layer.type,
        "bottoms": layer.bottoms,
        "tops": [
            {"blob": top.blob, "shape": _shape(top.shape), "dtype": top.dtype} for top in layer.tops
        ],
        "weights": [
            {"name": weight.name, "shape": _shape(weight.shape), "trainable": weight.trainable}
            for weight in layer.weights
        ],
        "macs": _size(layer.macs),
    }


def _size(size: Size) -> int | str:
    return str(size) if isinstance(size, Dim) else size


def _shape(shape: Iterable[Size]) -> list[int | str]:
    return [_size(size) for size in shape]


def github(checked: Iterable[Checked], quiet: bool, depth: int | None) -> Iterator[str]:
    """Yield an annotation for each diagnostic, as GitHub's workflow commands are written."""
    specs = errors = shown = 0
    for found in checked:
        specs += 1
        errors += found.errors
        for each in found.diagnostics:
            if (shown := shown + 1) <= SHOWN:
                yield _annotation(each)
    if errors or not quiet:
        yield f"netspec: {_counted(errors, 'error')} in {_counted(specs, 'spec')}\n"


def _annotation(found: Diagnostic) -> str:
    facts: dict[str, object] = {}
    if found.span:
        start, end = _corners(found.span)
        facts = {"file": printable(_relative(found.span)), "line": start[0], "endLine": end[0]}
        if start[0] == end[0]:
            facts |= {"col": start[1], "endColumn": end[1]}
    facts["title"] = found.code.id
    written = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in facts.items())
    text = found.message + (f"\n{found.hint}" if found.hint else "")
    return f"::{found.severity} {written}::{_escaped(text)}\n"


def _escaped(text: str, more: str = "") -> str:
    for sign in "%\r\n" + more:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def sarif(checked: Iterable[Checked], quiet: bool, depth: int | None) -> Iterator[str]:
    """Yield one SARIF 2.1.0 log."""
    import json

    rules: dict[str, dict[str, Any]] = {}
    results: list[dict[str, Any]] = []
    for found in checked:
        for each in found.diagnostics:
            code = each.code
            doc = (code.__doc__ or code.id).strip()
            rules[code.id] = {
                "id": code.id,
                "name": code.__name__,
                "shortDescription": {"text": doc.partition("\n")[0]},
                "help": {"text": f"netspec explain {code.id}"},
                "defaultConfiguration": {"level": each.severity},
            }
            results.append(_result(each))
    order = {name: index for index, name in enumerate(sorted(rules))}
    for result in results:
        result["ruleIndex"] = order[result["ruleId"]]
    driver = {
        "name": "netspec",
        "semanticVersion": __version__,
        "rules": [rules[name] for name in order],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "utf16CodeUnits",
                "results": results[: 5 * SHOWN],
            }
        ],
    }
    yield json.dumps(log, indent=1) + "\n"


def _result(found: Diagnostic) -> dict[str, Any]:
    text = found.message + (f" ({found.hint})" if found.hint else "")
    result: dict[str, Any] = {
        "ruleId": found.code.id,
        "level": found.severity,
        "message": {"text": text},
        "locations": [_location(found.span)] if found.span else [],
    }
    if found.related:
        result["relatedLocations"] = [
            {"id": index, **_location(span), "message": {"text": crop(printable(label), 500)}}
            for index, (span, label) in enumerate(found.related)
        ]
    return result


def _location(span: Span) -> dict[str, Any]:
    from urllib.parse import quote

    place = span.as_lsp()
    region = {
        "startLine": place["start"]["line"] + 1,
        "startColumn": place["start"]["character"] + 1,
        "endLine": place["end"]["line"] + 1,
        "endColumn": place["end"]["character"] + 1,
    }
    uri = quote(_relative(span).replace(os.sep, "/"), errors="surrogateescape")
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}


def _relative(span: Span) -> str:
    """Return the path of a span's file as seen from here, so that it is the same on every run."""
    name = span.source.name
    if not os.path.isabs(name):
        return name
    here = os.path.relpath(name)
    return name if here.startswith("..") else here


def _corners(span: Span) -> tuple[tuple[int, int], tuple[int, int]]:
    place = span.as_lsp()
    start, end = place["start"], place["end"]
    return (start["line"] + 1, start["character"] + 1), (end["line"] + 1, end["character"] + 1)
