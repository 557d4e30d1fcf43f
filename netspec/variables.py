"""Variables: their values, and the values of a document with them put in."""

from __future__ import annotations

from . import codes
from .diagnostics import nearest
from .evaluation import Budget, substitute
from .expression import ExpressionError, has_variables, variables
from .schema import SPEC, judge, suggestion
from .spec import Place, Spec, holds_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .diagnostics import Report

    Raw = dict[str, Any]


class Variables:
    """Evaluates what a spec writes with variables, and reports what has no value."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.budget = Budget()

    def of_spec(
        self, spec: Spec, scale: str | None, given: Raw, place: Place, chosen: bool = False
    ) -> Raw:
        """Return the variables of a spec: given ones first, then the scale's, then defaults."""
        where = "the spec" if chosen else f"`{spec.name}`"
        named: Raw = {}
        if scale is not None:
            if scale not in spec.scales:
                self.report.fatal(
                    codes.UnknownScale,
                    None if chosen else place.span("scale"),
                    scale=scale,
                    hint=suggestion(scale, spec.scales, "scales"),
                )
            named = spec.scales[scale]
        known = spec.vars.keys() | named.keys()
        for name in given.keys() - known:
            self.report.add(
                codes.UnknownVariable,
                None if chosen else place.key_span("with", name),
                name=name,
                where=where,
                hint=suggestion(name, known, "variables"),
            )
        places = {name: Place(spec.document, ("vars", name)) for name in spec.vars}
        places.update({name: Place(spec.document, ("scales", scale or "", name)) for name in named})
        env = self.resolve({**spec.vars, **named}, given, {}, places)
        unset = [name for name, value in env.items() if value is None and name not in given]
        if unset and spec.scales and scale is None:
            self.report.fatal(
                codes.MissingScale,
                None if chosen else place.span("block"),
                scales=", ".join(spec.scales),
                hint=f"choose one with {'--scale' if chosen else '`scale:`'}",
            )
        for name in unset:
            span = spec.document.span("vars", name) if chosen else place.span("block")
            self.report.add(
                codes.UnsetVariable, span, name=name, where=where,
                hint=f"--set {name}=..." if chosen else f"add it under `with: {{{name}: ...}}`",
            )  # fmt: skip
        if unset or given.keys() - known:
            self.report.close()
        return env

    def resolve(self, defaults: Raw, given: Raw, outer: Raw, places: dict[str, Place]) -> Raw:
        """Return every variable's value; a default may use the other variables."""
        env = {**outer, **defaults, **given}
        pending = {
            name: [v for v in sorted(reads(value)) if v in defaults and v not in given]
            for name, value in defaults.items()
            if name not in given and holds_variables(value)
        }
        if not pending:
            return env
        from graphlib import CycleError, TopologicalSorter

        try:
            order = list(TopologicalSorter(pending).static_order())
        except CycleError as error:
            ring = list(error.args[1])
            self.report.fatal(
                codes.VariableCycle, places[ring[0]].span(), name=ring[0],
                chain=" -> ".join(ring[:10]),
            )  # fmt: skip
        for name in order:
            if name in pending:
                env[name] = self.value(defaults[name], env, places[name])
        return env

    def section(self, spec: Spec, key: str, given: Any, env: Raw) -> Any:
        """Return a section of a spec with its variables put in, judged once they are."""
        if not spec.templated or not holds_variables(given):
            return given
        written = spec.document.value[key]
        value = self.value(written, env, Place(spec.document, (key,)))
        schema = SPEC["properties"][key]
        if judge(schema, value, spec.document, (key,), self.report, f"`{key}`"):
            self.report.close()
        return value

    def value(self, value: Any, env: Raw, place: Place) -> Any:
        """Return a value of the document with every expression in it evaluated."""
        if isinstance(value, str):
            if "$" not in value:
                return value
            try:
                return substitute(value, env, self.budget)
            except ExpressionError as error:
                facts = dict(error.facts)
                if error.code is codes.UndefinedVariable:
                    near = nearest(str(facts.get("name", "")), env)
                    facts["hint"] = f"did you mean `{near}`?" if near else ""
                span = place.document.span_in(place.path, error.start, error.end)
                self.report.fatal(error.code, span, (), **facts)
        if isinstance(value, list):
            return [self.value(item, env, place.at(i)) for i, item in enumerate(value)]
        if isinstance(value, dict):
            return {key: self.value(item, env, place.at(key)) for key, item in value.items()}
        return value


def reads(value: Any) -> set[str]:
    """Return the variables a value of the document names anywhere."""
    found: set[str] = set()
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if "$" in item and has_variables(item):
                found |= variables(item)
        elif isinstance(item, dict):
            pending += item.values()
        elif isinstance(item, list):
            pending += item
    return found


def key_of(value: Any) -> Any:
    """Return what two values have in common only where they are the same, to look one up by."""
    return (type(value), repr(value)) if isinstance(value, list | dict) else (type(value), value)
