"""netspec check: every shape, weight and expectation of specs, for every phase and scale.

A spec is a file, a folder, a pattern, `zoo:name` for a shipped one or a scale of one, or `-` for
the standard input. Exit status: 0 clean, 1 findings, 2 wrong usage. Warnings are findings where
--strict says so.

examples:
  netspec check net.yaml
  netspec check zoo:resnet50 --at H=224,W=224
  netspec check net.yaml --phase train --set classes=5 --shape data=8,3,64,64
  netspec check net.yaml --lint --strict --allow W802
  netspec check specs/ --format sarif > findings.sarif
"""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

from .. import codes
from ..diagnostics import Report, SpecError, printable
from ..expand import Choice
from ..pipeline import compile_net, open_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, ArgumentTypeError, Namespace
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from ..diagnostics import Code, Diagnostic
    from ..net import Net
    from ..spec import Spec

WIRING = frozenset({codes.UndefinedBlob, codes.UndefinedOutput, codes.NoImpliedBottom})


class Checked:
    """What was found about one spec: its nets, and its diagnostics, each once."""

    __slots__ = ("diagnostics", "failures", "file", "name", "nets", "seen", "tried")

    def __init__(self, file: str) -> None:
        self.file = "<stdin>" if file == "-" else file
        self.name: str | None = None
        self.nets: list[Net] = []
        self.diagnostics: list[Diagnostic] = []
        self.seen: dict[object, list[str]] = {}  # the variants that have a diagnostic
        self.tried = 0

    def add(self, diagnostics: Iterable[Diagnostic], variant: str = "") -> None:
        """Note the diagnostics of one variant; those known from another are not repeated."""
        for found in diagnostics:
            key = identity(found)
            if key not in self.seen:
                self.diagnostics.append(found)
            self.seen.setdefault(key, []).append(variant)

    def variants(self, found: Diagnostic) -> list[str]:
        """Return the variants a diagnostic is about, or none where it is about all of them."""
        named = self.seen[identity(found)]
        return named if "" not in named and len(named) < self.tried else []

    def allow(self, warnings: Sequence[str]) -> None:
        """Forget the warnings of some codes."""
        self.diagnostics = [each for each in self.diagnostics if each.code.id not in warnings]

    @property
    def errors(self) -> int:
        """Return how many of the diagnostics are errors."""
        return sum(found.severity == "error" for found in self.diagnostics)


def identity(found: Diagnostic) -> object:
    """Return what makes two diagnostics one: their code, place and message."""
    span = found.span
    where = (span.source.name, span.start, span.end) if span else None
    return found.code.id, where, found.message


def arguments(parser: ArgumentParser) -> None:
    """Declare the options of `netspec check`."""
    parser.add_argument("specs", nargs="+", metavar="SPEC",
                        help="file, folder, pattern, zoo:name, -")  # fmt: skip
    choices(parser)
    parser.add_argument("--format", choices=("human", "json", "github", "sarif"), default="human",
                        help="how to say it; human by default")  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="say findings only")
    parser.add_argument("--depth", type=int, metavar="N",
                        help="show blocks deeper than N as one row")  # fmt: skip
    parser.add_argument("--lint", action="store_true",
                        help="warn of what is legal and seldom meant")  # fmt: skip
    parser.add_argument("--allow", action="append", default=[], type=warning, metavar="CODE",
                        help="a warning that is meant; may be given again")  # fmt: skip
    parser.add_argument("--strict", action="store_true", help="exit with 1 for warnings too")


def plain(specs: Sequence[str]) -> Any:
    """Return what argparse makes of specs alone: its import costs more than a net."""
    return SimpleNamespace(
        specs=list(specs), phase=None, scale=None, stage=[], level=0, vars=[], at=[], shapes=[],
        format="human", quiet=False, depth=None, lint=False, allow=[], strict=False,
    )  # fmt: skip


def choices(parser: ArgumentParser) -> None:
    """Declare the options that choose a net of a spec, and its sizes."""
    parser.add_argument("--phase", choices=("test", "train"), type=str.lower,
                        help="one phase; all the spec has by default")  # fmt: skip
    parser.add_argument("--scale", help="one scale; all the spec has by default")
    parser.add_argument("--stage", action="append", default=[], metavar="NAME",
                        help="a stage; may be given more than once")  # fmt: skip
    parser.add_argument("--level", type=int, default=0, help="the level; 0 by default")
    parser.add_argument("--set", action="append", default=[], type=variable, metavar="NAME=VALUE",
                        dest="vars", help="a variable; VALUE as YAML has it")  # fmt: skip
    parser.add_argument("--at", action="append", default=[], type=sizes, metavar="H=224,W=224",
                        help="the size of symbols")  # fmt: skip
    parser.add_argument("--shape", action="append", default=[], type=shape,
                        metavar="INPUT=1,3,224,224", dest="shapes",
                        help="the shape of an input")  # fmt: skip


def wrong(reason: str) -> ArgumentTypeError:
    """Return the error that argparse shows for the value of an option."""
    from argparse import ArgumentTypeError

    return ArgumentTypeError(printable(reason)[:500])


def warning(text: str) -> str:
    """Return the code of a warning."""
    from .explain import codes as every

    known = [code for code in every() if code.startswith("W")]
    if text.upper() not in known:
        raise wrong(f"`{text}` is no warning; there are {', '.join(known)}")
    return text.upper()


def variable(text: str) -> tuple[str, Any]:
    """Return the name and value of `name=value`, the value read as a spec's would be."""
    from ..document import parse, read_text

    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise wrong(f"write NAME=VALUE, not `{text}`")
    report = Report()
    try:
        return name.strip(), parse(read_text("--set", value, report), report).value
    except SpecError as error:
        raise wrong(f"`{text}`: {error.diagnostics[0].message}") from error


def sizes(text: str) -> dict[str, int]:
    """Return the sizes by symbol of `H=224,W=224`."""
    found: dict[str, int] = {}
    for item in text.split(","):
        name, _, value = (part.strip() for part in item.partition("="))
        if not name or not value.isascii() or not value.isdecimal() or not 0 < len(value) < 19:
            raise wrong(f"write SYMBOL=SIZE, not `{item}`")
        if int(value) < 1:
            raise wrong(f"a size is at least 1: `{item}`")
        found[name] = int(value)
    return found


def shape(text: str) -> tuple[str, list[int | str]]:
    """Return the input and its sizes of `data=1,3,H,W`."""
    from ..expression import ExpressionError
    from ..expression import size as parse_size

    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise wrong(f"write INPUT=SIZE,SIZE, not `{text}`")
    found: list[int | str] = []
    for item in value.strip().removeprefix("[").removesuffix("]").split(","):
        try:
            size = parse_size(item.strip())
        except ExpressionError as error:
            raise wrong(f"`{item}` is not a size") from error
        if isinstance(size, int) and not 0 < size < 2**63:
            raise wrong(f"a size is at least 1, not `{item}`")
        found.append(size if isinstance(size, int) else item.strip())
    return name.strip(), found


class Asked:
    """The net, or nets, that the options ask for."""

    __slots__ = ("at", "level", "lint", "lone", "phase", "scale", "shapes", "stages", "vars")

    def __init__(self, options: Namespace, lone: bool) -> None:
        self.phase: str | None = options.phase
        self.scale: str | None = options.scale
        self.stages = tuple(options.stage)
        self.level: int = options.level
        self.vars: dict[str, Any] = dict(options.vars)
        self.at = {name: size for given in options.at for name, size in given.items()}
        self.shapes: dict[str, Sequence[Any]] = dict(options.shapes)
        self.lone = lone  # of one spec: then it must have every name given
        self.lint = False


def run(options: Namespace) -> int:
    """Check every spec named; return 1 where there are errors, or warnings that count."""
    from .. import formats

    paths = targets(options.specs)
    asked = Asked(options, len(paths) == 1)
    asked.lint = options.lint
    findings = 0

    def checked() -> Iterator[Checked]:
        nonlocal findings
        for path in paths:
            found = check(path, asked)
            if options.allow:
                found.allow(options.allow)
            findings += len(found.diagnostics) if options.strict else found.errors
            yield found

    form = formats.find(options.format)
    for text in form(checked(), options.quiet, options.depth):
        sys.stdout.write(text)
    return 1 if findings else 0


def targets(named: Sequence[str]) -> list[str]:
    """Return the specs that paths, patterns and folders name, each once."""
    found: dict[str, None] = {}
    for path in named:
        found.update(dict.fromkeys(_matches(path)))
    return list(found)


def _matches(path: str) -> Sequence[str]:
    if path.startswith("zoo:"):
        if "*" not in path:
            return [path]
        from fnmatch import fnmatchcase

        from ..zoo import files

        names = [file.removesuffix(".yaml") for file in files()]
        kept = [f"zoo:{name}" for name in names if fnmatchcase(name, path[4:])]
        return kept or [path]
    if os.path.isdir(path):
        found = []
        for folder, inner, names in os.walk(path):
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            found += [
                os.path.join(folder, name) for name in sorted(names)
                if name.endswith((".yaml", ".yml")) and _is_spec(os.path.join(folder, name))
            ]  # fmt: skip
        return found or [path]
    if any(sign in path for sign in "*?[") and not os.path.exists(path):
        from glob import glob

        return sorted(glob(path, recursive=True)) or [path]
    return [path]


def _is_spec(path: str) -> bool:
    """Return whether a YAML file has `layers` at its top level; one that cannot be read has."""
    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as handle:
            text = b"\n" + handle.read(10_000_000)
    except OSError:
        return True
    return any(mark in text for mark in (b"\nlayers:", b"\n'layers':", b'\n"layers":'))


def check(path: str, asked: Asked) -> Checked:
    """Return what is found about one spec: parsed once, then inferred for each variant."""
    found = Checked(path)
    report = Report()
    try:
        if os.path.isdir(path):
            report.fatal(codes.UnreadableFile, None, file=path, reason="no spec is in this folder")
        spec, scale = open_spec(path, report, asked.shapes)
    except SpecError as error:
        found.add(error.diagnostics)
        return found
    found.add(report.diagnostics)
    found.name = spec.name
    if asked.lone:
        found.add(_unknown(spec, asked))
    chosen = asked.scale or scale
    scales: Sequence[str | None] = [chosen] if chosen else list(spec.scales) or [None]
    for each in scales:
        for phase in [asked.phase] if asked.phase else spec.phases():
            _check_phase(found, spec, phase, each, asked)
    return found


def _check_phase(found: Checked, spec: Spec, phase: str, scale: str | None, asked: Asked) -> None:
    stages = [asked.stages] if asked.stages else [(), *((stage,) for stage in spec.stages())]
    results = []
    for chosen in stages:
        net, diagnostics = _net(spec, Choice(phase, scale, chosen, asked.level, asked.vars), asked)
        results.append((chosen, net, diagnostics))
    staged = any(net is not None for _, net, _ in results[1:])
    known: set[object] = set()
    for chosen, net, diagnostics in results:
        unwired = net is None and all(each.code in WIRING for each in diagnostics)
        if unwired and staged and not chosen:
            continue  # such a net is only meant with a stage
        if net is not None and len(results) > 1:
            layers = tuple((node.name, node.place.path) for node in net.flat.nodes)
            if layers in known:
                continue  # the stage makes no difference
            known.add(layers)
        found.tried += 1
        words = [phase.lower(), *([scale] if scale else []), *chosen]
        found.add(diagnostics, " ".join(words))
        if net is not None:
            found.nets.append(net)


def _net(spec: Spec, choice: Choice, asked: Asked) -> tuple[Net | None, list[Diagnostic]]:
    report = Report()
    try:
        net = compile_net(spec, choice, report, asked.at, asked.shapes)
    except SpecError as error:
        return None, list(error.diagnostics)
    if spec.rejected:
        return None, report.diagnostics  # a net without those entries is not the spec's
    if spec.expect:
        from ..analysis.expectations import judge

        judge(net, report, asked.at, bool(asked.vars or asked.shapes))
    if asked.lint:
        from ..analysis.lints import lints

        return net, [*report.diagnostics, *lints(net)]
    return net, report.diagnostics


def _unknown(spec: Spec, asked: Asked) -> list[Diagnostic]:
    """Report the symbols and inputs that options name and the spec does not have."""
    if not asked.at and not asked.shapes:
        return []
    from re import findall

    report = Report()
    for name in asked.shapes:
        if name not in spec.shaped():
            _absent(report, codes.UnknownSymbol, "input", name, spec.shaped())
    words = {*findall(r"\w+", spec.document.source.text)}
    words.update(word for dims in asked.shapes.values() for word in findall(r"\w+", str(dims)))
    shapes = [
        item.get("shape") if isinstance(item, dict) else item for item in spec.inputs.values()
    ]
    known = findall(r"[A-Za-z_]\w*", str(shapes))  # the text of a foreign file has no symbols
    for name in asked.at:
        if name not in words and name not in known:
            _absent(report, codes.UnusedSize, "size", name, known)
    return report.diagnostics


def _absent(report: Report, code: type[Code], what: str, name: str, known: list[str]) -> None:
    listed = ", ".join(dict.fromkeys(known))
    report.add(code, None, what=what, name=name, hint=f"it has: {listed}" if listed else "")
