"""The whole compiler, in order; start reading here.

    Source --parse--> Document --validate--> Spec --expand--> Graph --infer--> Net

A backend takes the Net. Every stage notes all it finds in a Report, and none starts on what an
earlier one rejected.
"""

from __future__ import annotations

import gc
import os
import re
from operator import index

from . import codes
from .diagnostics import Report, SpecError
from .document import parse, read
from .expand import Choice, expand, within
from .expression import ExpressionError
from .expression import size as parse_size
from .infer import infer
from .net import Net
from .spec import validate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .spec import Place, Spec

PHASES = ("TRAIN", "TEST")
FILES = 256  # imported by one spec
NATIVE = (".yaml", ".yml", ".json")  # other files are looked at to tell what they are


def load(
    path: str,
    phase: str = "test",
    scale: str | None = None,
    inputs: Mapping[str, Sequence[Any]] | None = None,
    stages: Sequence[str] = (),
    level: int = 0,
    at: Mapping[str, int] | None = None,
    **vars: Any,
) -> Net:
    """Return the net of a spec file for one phase and scale.

    `path` is a file, or `zoo:name` for a shipped spec or a scale of one; `inputs` gives shapes by
    input name, `at` sizes by symbol, and keyword arguments set the spec's variables.
    Raises SpecError with every diagnostic where the spec is wrong.
    """
    with Unhindered():
        report = Report()
        sizes, shapes = _asked(phase, at or {}, inputs or {}, report)
        spec, found = open_spec(os.fspath(path), report, shapes)
        choice = Choice(phase, scale or found, stages, level, vars)
        net = compile_net(spec, choice, report, sizes, shapes)
        if sizes or shapes:
            _used(net, sizes, shapes, report)
        return net


def _asked(
    phase: str, at: Mapping[str, Any], inputs: Mapping[str, Sequence[Any]], report: Report
) -> tuple[dict[str, int], dict[str, list[Any]]]:
    """Return the sizes and shapes of a call, once they are known to be such."""
    if phase.upper() not in PHASES:
        report.add(codes.NotAChoice, None, key="phase", value=phase, choices="train, test")

    def extent(name: str, value: Any, symbols: bool) -> Any:
        try:
            if isinstance(value, str) and symbols:
                parse_size(value)
                return value
            if not isinstance(value, bool) and (found := index(value)) > 0:
                return found
        except ExpressionError as error:
            hint = f"in the shape given for `{name}`"
            report.add(error.code, None, (), **error.facts, hint=hint)
            return 1
        except TypeError:
            pass
        kind = "a whole number or text such as `2*H`" if symbols else "a whole number"
        report.add(codes.OutOfRange, None, key=name, value=value, limit=f"{kind}, at least 1")
        return 1

    sizes = {name: extent(name, value, False) for name, value in at.items()}
    shapes = {name: [extent(name, v, True) for v in shape] for name, shape in inputs.items()}
    report.close()
    return sizes, shapes


def _used(net: Net, sizes: dict[str, int], shapes: dict[str, list[Any]], report: Report) -> None:
    """Refuse a size or a shape for a name that the spec does not have."""
    spec = net.spec
    tops = [top.name for node in net.flat.nodes if node.layer.source or node.layer.opaque
            for top in node.tops]  # fmt: skip
    known = [*spec.shaped(), *tops]  # also those of other phases
    text = f"{spec.document.source.text} {shapes}"
    words = set(re.findall(r"\w+", text))
    absent = [("input", name, known) for name in shapes if name not in known]
    sized = [v["shape"] if isinstance(v, dict) else v for v in net.flat.declared.values()]
    symbols = sorted(set(re.findall(r"[A-Za-z_]\w*", str(sized))))
    absent += [("size", name, symbols) for name in sizes if name not in {*words, *symbols}]
    for what, name, names in absent:
        hint = f"it has: {', '.join(names)}" if names else ""
        report.add(codes.UnknownSymbol, None, what=what, name=name, hint=hint)
    report.close()


class Unhindered:
    """Hold the garbage collector off: a compiler makes many objects, and hardly a cycle."""

    def __enter__(self) -> None:
        self.enabled = gc.isenabled()
        gc.disable()

    def __exit__(self, *error: object) -> None:
        if self.enabled:
            gc.enable()


def compile_net(
    spec: Spec,
    choice: Choice,
    report: Report,
    at: Mapping[str, int],
    shapes: Mapping[str, Sequence[Any]],
) -> Net:
    """Return the net of a validated spec: expand, infer, and refuse what did not fit."""
    choice = choice.within(spec.state)
    graph = expand(spec, choice, report, Imports(spec, report))
    conditions, fits = infer(graph, spec, report, at, shapes)
    report.close()
    return Net(spec, choice, graph, conditions, fits)


def open_spec(
    path: str, report: Report, inputs: Mapping[str, Sequence[Any]] | None = None
) -> tuple[Spec, str | None]:
    """Return the validated spec of a path, and the scale that a `zoo:` name means.

    A file of another framework is imported on the way, with the shapes of `inputs`.
    """
    scale = None
    if path.startswith("zoo:"):
        from .zoo import find

        path, scale = find(path, report)
    elif not path.endswith(NATIVE):
        from .importers.foreign import document

        return validate(document(path, report, inputs or {}), report), scale
    return validate(parse(read(path, report), report), report), scale


class Imports:
    """The files a spec imports, each read once; none lies outside the spec's folder or the zoo."""

    def __init__(self, spec: Spec, report: Report) -> None:
        self.root = _folder(spec.document.source.name)
        self.report = report
        self.specs: dict[str, Spec] = {}

    def __call__(self, file: str, place: Place) -> tuple[Spec, str | None]:
        """Return the spec of an import as it is written, and the scale that a `zoo:` name means."""
        inner = Report()
        try:
            path, scale = self.path(file, place, inner)
            real = os.path.realpath(path)
            if real not in self.specs:
                if len(self.specs) >= FILES:
                    inner.fatal(codes.UnreadableFile, None, reason=f"it is file {FILES + 1}, "
                                f"and {FILES} are the most")  # fmt: skip
                self.specs[real] = validate(parse(read(path, inner), inner), self.report)
        except SpecError as error:
            first, *others = error.diagnostics
            if first.code is not codes.UnreadableFile:
                raise SpecError((*self.report.diagnostics, first, *others)) from None
            self.report.fatal(
                codes.BadImport, place.span(), file=file, reason=first.facts["reason"],
                hint=first.hint,
            )  # fmt: skip
        return self.specs[real], scale

    def path(self, file: str, place: Place, report: Report) -> tuple[str, str | None]:
        """Return the path of an import, from the folder of the file that names it."""
        if file.startswith("zoo:"):
            from .zoo import find

            return find(file, report)
        reason = "the path leaves the folder of the spec"
        base = _folder(place.document.source.name)
        root = self.root if within(self.root, base, ".") else base  # base: of a zoo spec
        if "://" in file:
            reason = "a URL is not read: give the path of a file"
        elif within(root, base, file):
            return os.path.normpath(os.path.join(base, file)), None
        report.fatal(codes.UnreadableFile, None, reason=reason)


def _folder(file: str) -> str:
    return os.path.dirname(file) or "."
