"""expand: variables, imports, blocks, repeats and phases to the flat graph."""

from __future__ import annotations

import os

from . import codes
from .diagnostics import LIMIT, nearest
from .evaluation import Budget, substitute
from .expression import ExpressionError
from .graph import Graph, Node, Origin, Scope, Value, undefined
from .schema import RULES, judge, quoted, suggestion, type_hint
from .spec import Place, Spec, as_list, bad_name, good_entry, holds_variables, typed
from .variables import Variables, key_of, reads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from .diagnostics import Report
    from .layer import Layer

    Raw = dict[str, Any]
    Load = Callable[[str, Place], tuple[Spec, str | None]]

LAYERS = 1_000_000
PREFIX = 1_024  # characters in front of a layer's own name
DEPTH = 64
UNFIXED = ("with", "when", "repeat", "prefix")  # of a block entry: evaluated on their own
GUESSES = 100_000  # entries of blocks that are looked at before they are expanded
_UNKNOWN: Any = object()


class Choice:
    """Which of a spec's nets is meant: its phase, scale, stages, level and variables."""

    __slots__ = ("level", "phase", "scale", "stages", "vars")

    def __init__(
        self,
        phase: str = "TEST",
        scale: str | None = None,
        stages: Sequence[str] = (),
        level: int = 0,
        vars: Mapping[str, Any] | None = None,
    ) -> None:
        self.phase = phase.upper()
        self.scale = scale
        self.stages = tuple(stages)
        self.level = level
        self.vars = dict(vars or {})

    def within(self, state: Raw) -> Choice:
        """Return the choice with the stages of a spec's `state`, and its level if none is set."""
        if not state:
            return self
        stages = dict.fromkeys((*as_list(state.get("stage", [])), *self.stages))
        level = self.level or state.get("level", 0)
        return Choice(self.phase, self.scale, tuple(stages), level, self.vars)

    def meets(self, rule: Raw) -> bool:
        """Return whether a rule holds for the chosen phase, level and stages."""
        return (
            rule.get("phase", self.phase) == self.phase
            and rule.get("min_level", self.level) <= self.level
            and rule.get("max_level", self.level) >= self.level
            and all(stage in self.stages for stage in as_list(rule.get("stage", [])))
            and not any(stage in self.stages for stage in as_list(rule.get("not_stage", [])))
        )

    def keeps(self, include: Sequence[Raw], exclude: Sequence[Raw]) -> bool:
        """Return whether rules leave a layer in. Source: BVLC/caffe, net.cpp, FilterNet."""
        return any(map(self.meets, include)) if include else not any(map(self.meets, exclude))


def expand(spec: Spec, choice: Choice, report: Report, load: Load) -> Graph:
    """Return the flat graph of one choice of phase, scale, stages and variables.

    `load` reads an imported spec, given its path as written and the place that names it; with
    the spec it gives the scale that a `zoo:` name means.
    """
    walk = _Walk(choice, report, load)
    scope = Scope()
    chosen = walk.of_spec(spec, choice.scale, choice.vars, Place(spec.document), chosen=True)
    file = _File(spec, chosen)
    for name in spec.inputs:
        scope.names[name] = walk.graph.inputs[name] = Value(name, None)
        scope.made.add(name)
    walk.graph.declared = walk.section(spec, "inputs", spec.inputs, file.env)
    walk.graph.expect = as_list(walk.section(spec, "expect", spec.expect, file.env))
    use = _Use(file, file.env, scope, Place(spec.document, ("layers",)), (), False, ())
    walk.entries(spec.layers, use, _start(spec))
    graph = walk.graph
    graph.names = scope.names
    if spec.outputs is None:
        graph.outputs = _unread(graph.nodes, scope)
    else:
        names = as_list(walk.section(spec, "outputs", spec.outputs, file.env))
        for index, name in enumerate(names):
            if name in scope.names:
                graph.outputs[name] = scope.names[name]
            else:
                near = nearest(name, scope.names) if len(report.diagnostics) < LIMIT else ""
                report.add(
                    codes.UndefinedOutput,
                    spec.document.span("outputs", index),
                    blob=name,
                    hint=f"did you mean `{near}`?" if near else "",
                )
    return graph


def _unread(nodes: Sequence[Node], scope: Scope) -> dict[str, Value]:
    """Return the values nobody reads, by the names they have in a scope."""
    known = {id(value): name for name, value in reversed(scope.names.items())}
    known.update((id(v), name) for name, v in scope.names.items() if v.name == scope.prefix + name)
    unread = [value for node in nodes for value in node.tops if not value.readers]
    return {known.get(id(v), v.name.removeprefix(scope.prefix)): v for v in unread}


def _start(spec: Spec) -> list[str]:
    """Return what an implied bottom means at the start: the one input that no entry names."""
    inputs = list(spec.inputs)
    if len(inputs) < 2 or not spec.layers or "bottom" in spec.layers[0]:
        return inputs
    named = {name for entry in spec.layers for name in as_list(entry.get("bottom", []))}
    free = [name for name in inputs if name not in named]
    return free if len(free) == 1 else inputs


class _File:
    """A spec with its variables known: what its entries and blocks see."""

    __slots__ = ("chain", "env", "imports", "spec", "templates")

    def __init__(self, spec: Spec, env: Raw) -> None:
        self.spec = spec
        self.env = env
        self.imports: dict[str, tuple[Spec, str | None]] = {}
        self.chain: tuple[str, ...] = (spec.document.source.name,)  # the files that led here
        self.templates: dict[Any, tuple[Raw, Layer | None]] = {}


class _Use:
    """One use of a list of entries: the net itself, or one instance of a block."""

    __slots__ = ("blocks", "env", "file", "frozen", "origin", "place", "scope")

    def __init__(
        self,
        file: _File,
        env: Raw,
        scope: Scope,
        place: Place,
        origin: tuple[Origin, ...],
        frozen: bool,
        blocks: tuple[str, ...],
    ) -> None:
        self.file = file
        self.env = env
        self.scope = scope
        self.place = place
        self.origin = origin
        self.frozen = frozen
        self.blocks = blocks  # the blocks we are inside of, outermost first


class _Walk(Variables):
    def __init__(self, choice: Choice, report: Report, load: Load) -> None:
        super().__init__(report)
        self.choice = choice
        self.load = load
        self.graph = Graph()
        self.reads: dict[int, tuple[str, ...]] = {}
        self.count = 0
        self.uses = 0
        self.files: dict[int, _File] = {}  # imported for their blocks, by id of the spec
        self.sizes: dict[Any, int] = {}  # what `least` found
        self.looked = 0  # entries it looked at
        self.guesses = Budget()

    # entries

    def entries(self, entries: list[Raw], use: _Use, inputs: list[str]) -> list[str]:
        """Add every entry to the graph; return the tops of the last one."""
        previous = inputs
        rejected = use.file.spec.rejected
        for index, raw in enumerate(entries):
            if id(raw) in rejected:
                previous = self.unknown(raw, use.scope)
                continue
            if not self.kept(raw, use.env, use.place.at(index)):
                continue
            if "block" in raw:
                previous = self.block(raw, use, index, previous)
            else:
                previous = self.layer(raw, use, index, previous)
        return previous

    def unknown(self, entry: Raw, scope: Scope) -> list[str]:
        """Know the tops of an entry that was rejected by name only, so that nothing echoes it."""
        tops = [str(top) for top in as_list(entry.get("top", entry.get("name", "")))]
        for top in tops:
            scope.names[top] = Value(top, None)
        return tops

    def kept(self, raw: Raw, env: Raw, place: Place) -> bool:
        """Return whether the rules of an entry keep it. Source: BVLC/caffe, net.cpp, FilterNet."""
        if "include" not in raw and "exclude" not in raw:
            return True
        include = self.rules(raw, "include", env, place)
        exclude = self.rules(raw, "exclude", env, place)
        if include and exclude:
            self.report.add(
                codes.IncludeAndExclude, place.key_span("exclude"), layer=raw.get("name", "")
            )
        return self.choice.keeps(include, exclude)

    def rules(self, raw: Raw, key: str, env: Raw, place: Place) -> list[Raw]:
        """Return the `include` or `exclude` rules of an entry."""
        given = raw.get(key, [])
        if holds_variables(given):
            given = self.value(given, env, place.at(key))
            if judge(RULES, given, place.document, (*place.path, key), self.report, f"`{key}`"):
                return []
        return as_list(given)

    def when(self, raw: Raw, use: _Use, place: Place) -> bool:
        """Return whether an entry's condition holds."""
        if "when" not in raw:
            return True
        value = self.value(raw["when"], use.env, place.at("when"))
        if not isinstance(value, bool):
            self.report.fatal(
                codes.WrongType, place.span("when"), key="when", expected="true or false",
                value=quoted(value), hint=type_hint(value, ["boolean"]),
            )  # fmt: skip
        return value

    def layer(self, raw: Raw, use: _Use, index: int, previous: list[str]) -> list[str]:
        """Add one layer; return its tops."""
        place = use.place.at(index)
        spec = use.file.spec
        layer = spec.typed[use.place.path][index]
        if layer is None:
            entry, layer = self.template(raw, use, place)
        else:
            entry = raw
        name = entry["name"]
        if layer is None:
            return self.unknown(entry, use.scope)
        if self.count >= LAYERS:
            self.report.fatal(codes.TooManyLayers, place.span("name"), limit=f"{LAYERS:,}")
        self.count += 1
        bottoms = self.bottoms(entry, layer.bottoms != 0, previous, use, place)
        if bottoms is None:
            return self.unknown(entry, use.scope)
        tops = as_list(entry.get("top", [] if layer.tops == 0 else [name]))
        if not self.when(entry, use, place):
            return self.skip(bottoms, tops, use.scope)
        scope = use.scope
        if scope.prefix or scope.weights:
            key = scope.weights + name
            name = scope.prefix + name
        else:
            key = name
        node = Node(name, layer, entry, use.place, index, use.origin, key, use.frozen)
        layer.top_count, layer.bottom_count = len(tops), len(bottoms)
        self.graph.connect(node, scope, bottoms, tops, self.report)
        return tops

    def template(self, raw: Raw, use: _Use, place: Place) -> tuple[Raw, Layer | None]:
        """Return an entry with its expressions evaluated, and its layer; cached by their values."""
        if id(raw) not in self.reads:
            self.reads[id(raw)] = tuple(sorted(reads(raw)))
        env = use.env
        key = (id(raw), *(key_of(env.get(name)) for name in self.reads[id(raw)]))
        templates = use.file.templates
        if key not in templates:
            entry = self.value(raw, env, place)
            layer = None
            if "block" not in entry:
                layer = typed(entry, place.document, place.path, self.report, use.file.spec.shared)
            templates[key] = (entry, layer)
        return templates[key]

    def bottoms(
        self, entry: Raw, wanted: bool, previous: list[str], use: _Use, place: Place
    ) -> list[str] | None:
        """Return the names of the blobs an entry reads; left out: the top of the one before."""
        if "bottom" in entry:
            return as_list(entry["bottom"])
        if not wanted:
            return []
        if len(previous) == 1:
            return previous
        made = [use.scope.names[name].maker for name in previous if name in use.scope.names]
        what = "the entry before it has {} tops"
        if not any(made):
            what = "the block has {} inputs" if use.blocks else "the net has {} inputs"
        reason = f"{what.format(len(previous))}: {', '.join(previous[:8])}"
        self.report.add(
            codes.NoImpliedBottom, place.span("name"), layer=entry["name"],
            reason=reason if previous else "no blob stands before it", hint="name its `bottom`",
        )  # fmt: skip
        return None

    def skip(self, bottoms: list[str], tops: list[str], scope: Scope) -> list[str]:
        """Leave an entry out: with one bottom and one top it is a wire."""
        if len(bottoms) != 1 or len(tops) != 1:
            return []
        value = scope.names.get(bottoms[0])
        if value is not None:
            scope.names[tops[0]] = value
        return tops

    # blocks

    def block(self, raw: Raw, use: _Use, index: int, previous: list[str]) -> list[str]:
        """Add every instance of a block entry, chained; return its tops."""
        place = use.place.at(index)
        fixed = {key: item for key, item in raw.items() if key not in UNFIXED}
        entry = self.value(fixed, use.env, place)
        if not good_entry(entry, place, self.report):
            return self.unknown(entry, use.scope)
        name = entry["name"]
        bottoms = self.bottoms(entry, True, previous, use, place)
        body = self.body(entry, use, place)
        if bottoms is None:
            return self.unknown(entry, use.scope)
        if not self.when(raw, use, place):
            return self.skip(bottoms, as_list(entry.get("top", name)), use.scope)
        values: list[Value] = []
        for position, bottom in enumerate(bottoms):
            value = use.scope.names.get(bottom)
            if value is None:
                undefined(name, bottom, position, place, use.scope, self.report)
                value = Value(bottom, None)
            values.append(value)
        if body is None:
            return self.unknown(entry, use.scope)
        made = self.instances(raw, entry, body, use, place, values)
        return self.expose(entry, made, use, place)

    def instances(
        self, raw: Raw, entry: Raw, body: _Body, use: _Use, place: Place, values: list[Value]
    ) -> dict[str, Value]:
        """Expand a block so often as it is repeated, each instance reading the one before."""
        times = 1
        if "repeat" in raw:
            times = self.value(raw["repeat"], use.env, place.at("repeat"))
            if isinstance(times, bool) or not isinstance(times, int) or times < 0:
                self.report.fatal(codes.BadRepeat, place.span("repeat"), value=times)
        least = self.least(body, self.guess_with(raw, use.env))
        if self.count + times * least > LAYERS:
            many = [f"has {least:,} or more layers"] if least > 1 else []
            many += [f"is repeated {times:,} times"] if "repeat" in raw else []
            self.report.fatal(
                codes.TooManyLayers, place.span("repeat" if "repeat" in raw else "block"),
                limit=f"{LAYERS:,}", hint=f"`{entry['block']}` {' and '.join(many)}",
            )  # fmt: skip
        made = dict(zip(body.outputs, values, strict=False))  # repeated no times, it is a wire
        scope = use.scope
        for i in range(times):
            inner = f"{entry['name']}.{i}." if "repeat" in raw else f"{entry['name']}."
            if "prefix" in raw:
                inner = str(self.value(raw["prefix"], {**use.env, "i": i}, place.at("prefix")))
                if inner and (reason := bad_name(inner)):
                    self.report.fatal(
                        codes.BadName, place.span("prefix"), name=inner, reason=reason
                    )
            weights = f"<{entry['share']}>." if "share" in entry else inner
            child = Scope(scope.prefix + inner, scope.weights + weights)
            if len(child.prefix) > PREFIX or len(child.weights) > PREFIX:
                reason = f"names in it begin with more than {PREFIX:,} characters"
                self.report.fatal(
                    codes.BadName, place.span("name"), name=entry["name"], reason=reason
                )
            given = self.value(raw.get("with", {}), {**use.env, "i": i}, place.at("with"))
            if not isinstance(given, dict):
                self.report.fatal(
                    codes.WrongType, place.span("with"), key="with", expected="a mapping",
                    value=quoted(given),
                )  # fmt: skip
            use_name = scope.prefix + entry["name"] + (f".{i}" if "repeat" in raw else "")
            use_name = use_name if len(use_name) <= 60 else f"...{use_name[-57:]}"
            self.report.trail.append((place, f"used here, as `{use_name}`"))
            made = self.instance(entry, body, given, use, place, child, values)
            self.report.trail.pop()
            chained = list(made.values())
            values = chained + values[len(chained) :] if len(chained) <= len(values) else chained
        return made

    def instance(
        self,
        entry: Raw,
        body: _Body,
        given: Raw,
        use: _Use,
        place: Place,
        scope: Scope,
        values: list[Value],
    ) -> dict[str, Value]:
        """Expand one use of a block; return its outputs by their names inside."""
        spec = body.file.spec if body.file else body.spec
        frozen = use.frozen or entry.get("freeze", False)
        self.uses += 1
        if self.uses > LAYERS:
            self.report.fatal(codes.TooManyLayers, place.span("block"), limit=f"{LAYERS:,}")
        if body.name is None:  # a whole net
            file = _File(spec, self.of_spec(spec, entry.get("scale", body.scale), given, place))
            file.chain = body.chain
            env, inner, block = file.env, Place(spec.document, ("layers",)), None
            layers, inputs, outputs = spec.layers, list(spec.inputs), spec.outputs
        else:
            file = body.file or _File(spec, {})
            block = spec.blocks[body.name]
            env = self.block_env(body, block, file, given, place)
            inner = Place(spec.document, ("blocks", body.name, "layers"))
            layers = block["layers"]
            inputs = as_list(block.get("inputs", ["in"]))
            outputs = as_list(block["outputs"]) if "outputs" in block else None
        if block is None:
            inputs = inputs[: max(len(values), 1)] if len(values) < len(inputs) else inputs
        if len(values) != len(inputs):
            self.report.add(
                codes.WrongBlockBottoms, place.span("bottom"), block=entry["block"],
                expected=f"{len(inputs)} bottom{'s'[: len(inputs) != 1]}", count=len(values),
            )  # fmt: skip
        scope.names.update(zip(inputs, values, strict=False))
        start = len(self.graph.nodes)
        name = str(entry["block"])
        defaults = (block.get("vars") or {}) if block is not None else {}
        origin = (*use.origin, Origin(place, name, scope.prefix, given, defaults))
        if len(use.blocks) >= DEPTH:
            self.report.fatal(codes.BlocksTooDeep, place.span("block"), limit=DEPTH)
        inside = _Use(file, env, scope, inner, origin, frozen, (*use.blocks, body.key))
        last = self.entries(layers, inside, inputs)
        picked = as_list(entry["tops"]) if "tops" in entry else outputs
        if picked is None and block is None:
            return _unread(self.graph.nodes[start:], scope)
        found: dict[str, Value] = {}
        for position, blob in enumerate(picked if picked is not None else last):
            if blob not in scope.names:
                few = len(self.report.diagnostics) < LIMIT
                near = nearest(blob, scope.names) if few else ""
                span = (
                    place.span("tops", position)
                    if "tops" in entry
                    else Place(spec.document, inner.path[:-1]).span("outputs", position)
                )
                self.report.add(
                    codes.UndefinedOutput, span, blob=blob,
                    hint=f"did you mean `{near}`?" if near else f"`{name}` does not make it",
                )  # fmt: skip
                continue
            found[blob] = scope.names[blob]
        if "tops" in entry:
            self.graph.keep(found.values(), start)
        return found

    def block_env(self, body: _Body, block: Raw, file: _File, given: Raw, place: Place) -> Raw:
        """Return the variables a block sees: its own, and those of its file."""
        defaults = block.get("vars") or {}
        for name in given.keys() - defaults.keys():
            self.report.add(
                codes.UnknownVariable, place.key_span("with", name), name=name,
                where=f"the block `{body.name}`", hint=suggestion(name, defaults, "variables"),
            )  # fmt: skip
        here = Place(file.spec.document, ("blocks", body.name or "", "vars"))
        places = {name: here.at(name) for name in defaults}
        env = self.resolve(defaults, given, file.env, places)
        for name in defaults:
            if env[name] is None and name not in given:
                self.report.fatal(
                    codes.UnsetVariable, place.span("block"),
                    [(here.span(name), "it has no default here")],
                    name=name, where=f"the block `{body.name}`",
                    hint=f"add it under `with: {{{name}: ...}}`",
                )  # fmt: skip
        return env

    def body(self, entry: Raw, use: _Use, place: Place) -> _Body | None:
        """Return what an entry's `block` names: a block here, in an import, or a whole net."""
        name = str(entry["block"])
        spec = use.file.spec
        owner, _, inner = name.partition(".")
        if name not in spec.blocks and owner in spec.imports:
            self.imported(owner, use.file)
        found = self.known(name, use.file)
        if found is None:
            known = [*spec.blocks, *spec.imports]
            if inner and owner in use.file.imports:
                known = [f"{owner}.{block}" for block in use.file.imports[owner][0].blocks]
            self.report.add(
                codes.UnknownBlock, place.span("block"), block=name,
                hint=suggestion(name, known, "blocks"),
            )  # fmt: skip
        elif found.key in use.blocks:
            ring = [key.rpartition("#")[2] for key in (*use.blocks, found.key)]
            self.report.fatal(
                codes.RecursiveBlock, place.span("block"), block=name, chain=" -> ".join(ring[-10:])
            )
        return found

    def known(self, name: str, file: _File) -> _Body | None:
        """Return the block or net of a name, of those imported so far."""
        owner, dot, inner = name.partition(".")
        if name in file.spec.blocks:
            return _Body(file.spec, file, name)
        if owner not in file.imports:
            return None
        spec, scale = file.imports[owner]
        chain = (*file.chain, spec.document.source.name)
        if not dot:
            return _Body(spec, None, None, scale, chain)
        if inner not in spec.blocks:
            return None
        return _Body(spec, self.file_of(spec, scale, chain), inner)

    def imported(self, name: str, file: _File) -> None:
        """Read an import of a file, unless it was read before."""
        if name in file.imports:
            return
        place = Place(file.spec.document, ("imports", name))
        path = file.spec.imports[name]
        spec, scale = self.load(path, place)
        real = os.path.realpath(spec.document.source.name)
        before = [os.path.realpath(each) for each in file.chain]
        if real in before:
            ring = [*file.chain[before.index(real) :], spec.document.source.name]
            self.report.fatal(
                codes.BadImport, place.span(), file=path,
                reason=f"it imports itself: {' -> '.join(ring)}",
            )  # fmt: skip
        file.imports[name] = spec, scale

    def file_of(self, spec: Spec, scale: str | None, chain: tuple[str, ...]) -> _File:
        """Return a spec with the variables it has by default, for the use of its blocks."""
        if id(spec) not in self.files:
            defaults = {**spec.vars, **spec.scales.get(scale or "", {})}
            places = {name: Place(spec.document, ("vars", name)) for name in defaults}
            env = self.resolve(defaults, {}, {}, places)
            file = _File(spec, {name: value for name, value in env.items() if value is not None})
            file.chain = chain
            self.files[id(spec)] = file
        return self.files[id(spec)]

    # size

    def guess(self, value: Any, env: Raw) -> Any:
        """Return a value as far as it is known before its instance is; `_UNKNOWN` where not."""
        if isinstance(value, dict):
            return {key: self.guess(item, env) for key, item in value.items()}
        if not holds_variables(value):
            return value
        names = reads(value)
        if "i" in names or any(env.get(name, _UNKNOWN) is _UNKNOWN for name in names):
            return _UNKNOWN
        try:
            return substitute(value, env, self.guesses) if isinstance(value, str) else _UNKNOWN
        except ExpressionError:
            return _UNKNOWN

    def guess_with(self, entry: Raw, env: Raw) -> Raw:
        """Return the values an entry gives its block, as far as they are known."""
        given = self.guess(entry.get("with", {}), env)
        return given if isinstance(given, dict) else {}

    def least(self, body: _Body, given: Raw, depth: int = 0) -> int:
        """Return how many layers a block expands to at least, without expanding it."""
        if depth >= DEPTH or self.looked > GUESSES:
            return 1
        spec = body.spec
        own = spec.blocks[body.name].get("vars") or {} if body.name else spec.vars
        outer = body.file.env if body.file else {}
        env = {**outer, **{name: self.guess(value, outer) for name, value in own.items()}, **given}
        key = (body.key, *((name, key_of(env[name])) for name in sorted(env)))
        if key not in self.sizes:
            self.sizes[key] = 1  # of a block that uses itself: it is refused later
            path: tuple[str | int, ...] = ("layers",)
            entries = spec.layers
            if body.name:
                path, entries = ("blocks", body.name, *path), spec.blocks[body.name]["layers"]
            self.looked += len(entries)
            counts = [
                self.least_of(entry, body.file, env, Place(spec.document, (*path, index)), depth)
                for index, entry in enumerate(entries)
                if id(entry) not in spec.rejected
            ]
            self.sizes[key] = max(1, sum(counts))
        return self.sizes[key]

    def least_of(self, entry: Raw, file: _File | None, env: Raw, place: Place, depth: int) -> int:
        if self.guess(entry.get("when", True), env) is not True:
            return 0
        if "include" in entry or "exclude" in entry:
            rules = [entry.get("include"), entry.get("exclude")]
            if holds_variables(rules) or not self.kept(entry, env, place):
                return 0
        if "block" not in entry:
            return 1
        times = self.guess(entry.get("repeat", 1), env)
        if type(times) is not int:
            return 0
        name = self.guess(entry["block"], env)
        body = self.known(name, file) if file and isinstance(name, str) else None
        if body is None:
            return times
        return times * self.least(body, self.guess_with(entry, env), depth + 1)

    def expose(self, entry: Raw, made: dict[str, Value], use: _Use, place: Place) -> list[str]:
        """Give the outputs of a block entry their names outside."""
        name = entry["name"]
        if "top" in entry:
            tops = as_list(entry["top"])
            if len(tops) != len(made):
                self.report.add(
                    codes.WrongBlockTops, place.span("top"), block=entry["block"],
                    expected=f"{len(made)} output{'s'[: len(made) != 1]}", count=len(tops),
                )  # fmt: skip
        elif len(made) == 1 and "tops" not in entry:
            tops = [name]
        else:
            tops = [f"{name}.{inner}" for inner in made]
        names = use.scope.names
        for top, value in zip(tops, made.values(), strict=False):
            if top in use.scope.made:
                self.report.add(
                    codes.DuplicateTop,
                    place.span("name"),
                    blob=top,
                    maker=f"already made by `{names[top].name}`",
                )
            names[top] = value
            use.scope.made.add(top)
        if len(made) == 1 and "tops" in entry:
            names.setdefault(name, next(iter(made.values())))
        return tops


class _Body:
    """What a block entry expands: a block of a file, or a whole net where `name` is None."""

    __slots__ = ("chain", "file", "key", "name", "outputs", "scale", "spec")

    def __init__(
        self,
        spec: Spec,
        file: _File | None,
        name: str | None,
        scale: str | None = None,
        chain: tuple[str, ...] = (),
    ) -> None:
        self.spec = spec
        self.file = file
        self.name = name
        self.scale = scale
        self.chain = chain
        self.key = f"{spec.document.source.name}#{name or spec.name}"
        outputs = spec.blocks[name].get("outputs") if name else spec.outputs
        self.outputs: list[str] = as_list(outputs or "out")


def within(root: str, base: str, path: str) -> str | None:
    """Return the real path of an import, or None where it leaves the root."""
    if os.path.isabs(path) or "\\" in path or "\0" in path or path.startswith("~"):
        return None
    real = os.path.realpath(os.path.join(base, path))
    home = os.path.realpath(root)
    return real if os.path.commonpath([real, home]) == home else None
