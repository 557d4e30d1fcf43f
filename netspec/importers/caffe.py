"""Read a Caffe prototxt as a spec: every layer an entry, every place in the prototxt."""

from __future__ import annotations

from .. import codes
from ..document import Document, read_bytes
from ..layer import listed
from ..schema import find_type, unknown_type_hint
from . import caffe_forks, caffe_schema, caffe_solver, caffe_values, prototxt
from .caffe_data import inputs, is_source
from .caffe_names import Legal, unique_names
from .caffe_upgrade import Raw, layers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..diagnostics import Report
    from ..layer import Layer, Param
    from ..text import Source, Span

    Path = tuple[str | int, ...]

WIRING = ("name", "type", "bottom", "top", "loss_weight", "propagate_down", "phase")
RULES = ("include", "exclude", "param")


class Imported(Document):
    """The spec that a prototxt stands for; places are those of the prototxt.

    `asks` holds the inputs whose shape the file does not say, each with what could be given;
    `renamed` the names Caffe knows, of layers that had none or one that was taken.
    """

    __slots__ = ("asks", "format", "places", "renamed", "solver", "told", "values")

    def __init__(self, source: Source, value: dict[str, Any], values: caffe_values.Values) -> None:
        super().__init__(source, value)
        self.values = values
        self.places: dict[Path, Raw | Path] = {}
        self.asks: dict[str, str] = {}
        self.told: set[Path] = set()  # layers that say the shape of a blob others do not say
        self.renamed: dict[str, str] = {}
        self.format = ""
        self.solver: caffe_values.Values | None = None  # of a file that holds or names the net

    @property
    def templated(self) -> bool:
        """Return False: a `$` in a prototxt is a character like any other."""
        return False

    def wanted_shape(self, name: str, path: Path = ()) -> str:
        """Return how to give the shape of an input; empty where the file, or a layer, says it."""
        return "" if path in self.told else self.asks.get(name, "")

    def span(self, *path: str | int) -> Span:
        """Return the place of the value at `path`, or of the nearest value around it."""
        if path[:1] == ("solver",) and self.solver is not None:
            return self.solver.span(*path[1:])
        return self.values.span(*self.origin(path))

    def key_span(self, *path: str | int) -> Span:
        """Return the place of the name of the field at `path`."""
        if path[:1] == ("solver",) and self.solver is not None:
            return self.solver.name_span(*path[1:])
        return self.values.name_span(*self.origin(path))

    def span_in(self, path: tuple[str | int, ...], start: int, end: int) -> Span:
        """Return the place of the value at `path`: escapes may have moved its characters."""
        return self.span(*path)

    def origin(self, path: Path) -> Path:
        """Return the path in the prototxt of a path in the spec."""
        for length in range(len(path), 0, -1):
            found = self.places.get(path[:length])
            if isinstance(found, Raw):
                return found.origin(path[length:])
            if found is not None:
                return (*found, *path[length:])
        return path


def read(
    source: Source,
    report: Report,
    shapes: Mapping[str, Sequence[Any]] | None = None,
    allow_unknown: bool = False,
    alone: bool = False,
) -> Imported:
    """Return the spec of a prototxt; every unknown field of it is noted, with its place.

    `shapes` are those of inputs; the other tops of a data layer follow its first one's batch.
    `allow_unknown` leaves unknown fields out instead. A solver comes with its net, or `alone`.
    """
    parsed = prototxt.parse(source)
    if caffe_solver.is_solver(parsed):
        return _of_solver(parsed, report, shapes, allow_unknown, alone)
    values = caffe_values.read(parsed, "NetParameter", report)
    return _of_net(source, values, report, shapes, allow_unknown)


def _of_net(
    source: Source,
    values: Any,
    report: Report,
    shapes: Mapping[str, Sequence[Any]] | None,
    allow_unknown: bool,
) -> Imported:
    report.close()
    raws, form = layers(values, report)
    document = Imported(source, {"layers": []}, values)
    document.format = form
    _Import(document, report, allow_unknown).net(raws, shapes or {})
    report.close()
    return document


def _of_solver(
    parsed: prototxt.Document,
    report: Report,
    shapes: Mapping[str, Sequence[Any]] | None,
    allow_unknown: bool,
    alone: bool,
) -> Imported:
    """Return the spec of the net that a solver trains, with the solver in it."""
    values = caffe_solver.read(parsed, report, allow_unknown)
    report.close()
    inline = next((f for f in ("train_net_param", "net_param") if values.root.get(f)), None)
    path = None if inline or alone else caffe_solver.net_file(values)
    if inline and not alone:
        within: Any = caffe_solver.Within(values, inline)
        document = _of_net(parsed.source, within, report, shapes, allow_unknown)
    elif path is not None:
        source = prototxt.decode(path, read_bytes(path, report, prototxt.MAX_BYTES))
        net = prototxt.parse(source)
        found = caffe_values.read(net, "NetParameter", report)
        document = _of_net(source, found, report, shapes, allow_unknown)
    else:
        document = Imported(parsed.source, {"layers": []}, values)
        if named := caffe_solver.net_name(values):
            document.value["notes"] = f"The solver trains the net {named}"
    document.value["solver"] = caffe_solver.fields(values)
    document.solver = values
    return document


class _Import:
    def __init__(self, document: Imported, report: Report, allow_unknown: bool) -> None:
        self.document = document
        self.values = document.values
        self.report = report
        self.allow_unknown = allow_unknown
        self.areas: list[tuple[int, int]] = []  # where fields that BVLC's Caffe lacks are known
        self.strange: dict[str, list[Span]] = {}  # layer types that there are not, and where

    def net(self, raws: list[Raw], shapes: Mapping[str, Sequence[Any]]) -> None:
        """Fill the spec's value."""
        root, document = self.values.root, self.document
        value = document.value
        if root.get("name"):
            value["name"] = root["name"]
        if state := root.get("state"):
            value["state"] = {key: plain(item) for key, item in state.items()}
        if root.get("force_backward"):
            value["force_backward"] = True
        for raw in raws:
            if is_source(raw):  # how data is read is no part of the net
                self.note(raw.base)
        legal = Legal()
        for raw in raws:
            for key in ("bottom", "top"):
                if key in raw.values:
                    raw.values[key] = [legal(name) for name in raw.values[key] if name is not None]
        declared, raws = inputs(raws, shapes, document, self.report)
        self.unmade(raws, declared, shapes)
        if declared:
            value["inputs"] = declared
        names = unique_names(raws, legal)
        tops = {top for raw in raws for top in raw.values.get("top", ())}
        for raw, name in zip(raws, names, strict=True):
            document.places["layers", len(value["layers"])] = raw
            if name != raw.values.get("name"):
                document.renamed[name] = raw.values.get("name", "")
            value["layers"].append(self.entry(raw, name, tops))
            if raw.values.get("type") == "Python":
                self.code(value["layers"][-1], shapes)
            elif raw.values.get("type") == "Input" and all(
                shape.get("dim") for shape in raw.values.get("input_param", {}).get("shape", [{}])
            ):
                document.told.add(("layers", len(value["layers"]) - 1))
        if not self.allow_unknown:
            self.refuse_unknown()

    def unmade(
        self, raws: list[Raw], declared: dict[str, Any], shapes: Mapping[str, Sequence[Any]]
    ) -> None:
        """Make inputs of the blobs that no layer makes and that are given a shape.

        Parts of nets are like that, and nets that a tool gives their data.
        """
        made = {top for raw in raws for top in raw.values.get("top", ())}
        for raw in raws:
            for index, name in enumerate(raw.values.get("bottom", ())):
                if name in made or name in declared:
                    continue
                if name in shapes:
                    declared[name] = list(shapes[name])
                    self.document.places["inputs", name] = raw.origin(("bottom", index))
                else:
                    self.document.asks[name] = f"--shape {name}=N,... makes it an input"

    def refuse_unknown(self) -> None:
        """Note every unknown type, field and word that no layer type here has either, each once."""
        for kind, spans in self.strange.items():
            hint = unknown_type_hint(kind)
            if len(spans) > 1:
                hint += f"; {len(spans)} layers are of this type"
            self.report.add(codes.UnknownLayerType, spans[0], type=kind, hint=hint)
        areas = sorted(self.areas)
        counts: dict[tuple[Any, ...], int] = {}
        first: dict[tuple[Any, ...], caffe_values.Unknown] = {}
        for unknown in self.values.unknown:
            at = unknown.span.start
            if unknown.field in caffe_forks.IGNORED:
                continue
            if (unknown.type, unknown.field) == ("V1LayerParameter", "type"):
                continue  # E206 where no type here has that name
            if not any(start <= at < end for start, end in areas):
                key = (unknown.type, unknown.field, unknown.facts.get("value"))
                counts[key] = counts.get(key, 0) + 1
                first.setdefault(key, unknown)
        for key, unknown in first.items():
            if counts[key] > 1:
                hint = unknown.facts["hint"]
                unknown.facts["hint"] = f"{hint}{hint and '; '}it is given {counts[key]} times"
            unknown.add_to(self.report)

    def code(self, entry: dict[str, Any], shapes: Mapping[str, Sequence[Any]]) -> None:
        """Give a layer of Python code the shapes of what it makes, or note that they are asked."""
        param = entry.setdefault("python_param", {})
        names = listed(entry["top"])
        if names and all(name in shapes for name in names):
            param["shape"] = plain([{"dim": list(shapes[name])} for name in names])
        elif "shape" not in param:
            self.document.asks.update((name, f"--shape {name}=N,...") for name in names)

    def entry(self, raw: Raw, name: str, tops: set[str]) -> dict[str, Any]:
        """Return the entry of one layer."""
        values = raw.values
        kind = str(values.get("type") or "")
        kind = caffe_forks.TYPES.get(kind, kind)
        cls = find_type(kind) if kind else None
        if cls is None and not self.allow_unknown:
            self.strange.setdefault(kind, []).append(self.values.span(*raw.origin(("type",))))
            self.note(raw.base)  # its fields are of that fork too
        elif cls is not None:
            self.note(raw.origin(("type",)))  # a fork's word for it, in V1
        entry: dict[str, Any] = {"name": name, "type": kind}
        if kind == "BatchNorm" and len(values.get("param", ())) == 3:
            for each in values["param"]:  # the statistics do not learn, whatever old files say
                each["lr_mult"] = each["decay_mult"] = 0.0
        fix_phase(values, kind)
        for key, value in values.items():
            if key in ("name", "type", "top", "blobs"):
                continue
            if key in WIRING or key in RULES:
                entry[key] = plain(value)
            elif cls is None:
                if self.known_to_caffe(key):
                    entry[key] = plain(value)
            else:
                self.message(raw, cls, key, value, entry)
        if not values.get("bottom"):
            entry["bottom"] = []
            if cls is not None and cls.bottoms == 0:
                del entry["bottom"]
        if values.get("top"):
            entry["top"] = plain(values["top"])
        elif cls is not None and cls.loss:  # Caffe gives a loss its top where none is named
            top = name
            while top in tops:
                top += "_"
            tops.add(top)
            entry["top"] = top
        else:
            entry["top"] = []
        caffe_forks.complete(entry)
        return entry

    def message(
        self, raw: Raw, cls: type[Layer], key: str, value: Any, entry: dict[str, Any]
    ) -> None:
        """Add the fields of one message of a layer that its type has."""
        fields = cls.messages.get(key)
        if fields is None or not isinstance(value, dict):
            return  # Caffe reads only the messages of the layer's own type
        self.note(raw.origin((key,)), inner=False)
        known = caffe_schema.message("LayerParameter").get(key)
        schema = caffe_schema.message(known.type) if known is not None else {}
        found: dict[str, Any] = entry.setdefault(key, {})
        for field, item in value.items():
            declared = fields.get(field)
            if field in caffe_forks.IGNORED:
                continue
            given = plain(item)
            if declared is None:
                if field in schema or (known is None and not self.allow_unknown):
                    found[field] = given  # for the schema to refuse
                continue
            found[field] = given if field in schema else coerced(given, declared)
            if field not in schema or takes(declared, given):
                origin = raw.origin((key, field))
                self.note(origin)
                for index in range(1, len(item) if isinstance(item, list) else 1):
                    self.note((*origin, index))

    def known_to_caffe(self, key: str) -> bool:
        return key in caffe_schema.message("LayerParameter")

    def note(self, origin: Path, inner: bool = True) -> None:
        """Accept the unknown field or word at a path, and those within it."""
        field = self.values.field(*origin)
        if field is not None:
            self.areas.append((field.at, field.end if inner else field.start + 1))


def fix_phase(values: dict[str, Any], kind: str) -> None:
    """Say with a layer's own fields what its `phase` says: it does not follow the net's."""
    phase = values.get("phase")
    if phase is None:
        return
    if kind == "BatchNorm":
        del values["phase"]
        values.setdefault("batch_norm_param", {}).setdefault("use_global_stats", phase == "TEST")
    elif kind != "Dropout":
        del values["phase"]  # no other type looks at it
    elif phase == "TEST":
        del values["phase"]
        values["dropout_param"] = {"dropout_ratio": 0.0}


def plain(value: Any) -> Any:
    """Return a value as a spec has it: a repeated field of one value is that value."""
    if isinstance(value, list):
        items = [plain(item) for item in value if item is not None]
        return items[0] if len(items) == 1 else items
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item != []}
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def coerced(value: Any, declared: Param) -> Any:
    """Return the value of a field that caffe.proto does not type, as its layer type wants it."""
    if declared.kind not in ("bool", "Bools"):
        return value
    return [truth(each) for each in value] if isinstance(value, list) else truth(value)


def truth(value: Any) -> Any:
    """Return what a word or a number says where true or false is wanted."""
    return _TRUTHS.get(value, value) if isinstance(value, str | int) else value


_TRUTHS: dict[Any, Any] = {"true": True, "false": False, 1: True, 0: False}


def takes(declared: Param, word: Any) -> bool:
    """Return whether a word is one of the choices of a field."""
    return word in declared.limits.get("choices", ())
