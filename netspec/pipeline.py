"""The whole compiler, in order; start reading here.

    Source --parse--> Document --validate--> Spec --expand--> Graph --infer--> Net

A backend takes the Net. Every stage notes all it finds in a Report, and none starts on what an
earlier one rejected.
"""

from __future__ import annotations

import gc
import gc
import os

from . import codes
from .diagnostics import Report
from .document import parse, read
from .expand import Choice, expand, within
from .infer import infer
from .net import Net
from .spec import validate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .spec import Place, Spec

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
        spec, found = open_spec(os.fspath(path), report, inputs)
        choice = Choice(phase, scale or found, stages, level, vars)
        return compile_net(spec, choice, report, at or {}, inputs or {})


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
    graph = expand(spec, choice, report, lambda file, place: import_spec(file, place, report))
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


def import_spec(file: str, place: Place, report: Report) -> Spec:
    """Return an imported spec; its path stays inside the folder of the spec that names it."""
    if file.startswith("zoo:"):
        from .zoo import find

        path, _ = find(file, report)
    else:
        base = os.path.dirname(place.document.source.name) or "."
        inside = within(base, base, file)
        if inside is None:
            report.fatal(
                codes.BadImport, place.span(), file=file,
                reason="the path leaves the folder of the spec",
            )  # fmt: skip
        path = os.path.join(base, file)
    return validate(parse(read(path, report), report), report)
