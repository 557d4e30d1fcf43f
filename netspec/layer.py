"""Layer and param: what a layer type is, and the JSON Schema of its params."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, TypeAlias, dataclass_transform

    from .blob import Blob, Window
    from .diagnostics import Code
    from .dim import Size

    PerAxis: TypeAlias = int | Sequence[int]  # one value, or one for each spatial axis
    Ints: TypeAlias = int | Sequence[int]  # a repeated integer field
    Floats: TypeAlias = float | Sequence[float]
    Bools: TypeAlias = bool | Sequence[bool]
    Filler: TypeAlias = dict[str, Any]  # a FillerParameter
    Fillers: TypeAlias = dict[str, Any] | Sequence[dict[str, Any]]
    Shape: TypeAlias = dict[str, Any] | Sequence[Any]  # {dim: [...]}, or the list alone
    Shapes: TypeAlias = dict[str, Any] | Sequence[dict[str, Any]]
    Strings: TypeAlias = str | Sequence[str]
    Map: TypeAlias = dict[str, Any]
    Counts: TypeAlias = int | tuple[int, int | None]
    Agreement: TypeAlias = "tuple[str, Size, Size, int] | tuple[str, Size, Size, int, Reject]"
else:
    PerAxis = Ints = Floats = Bools = Strings = object
    Filler = Fillers = Shape = Shapes = Map = Counts = object

    def dataclass_transform(**_: object) -> Callable[[Any], Any]:
        """Mark a class for type checkers; at run time, do nothing."""
        return lambda cls: cls


class Reject(Exception):
    """A layer cannot take its bottoms; `at` names the param to blame, if it is one.

    Among the facts `bottom` is the index of the one to blame, `inside` a path within the param.
    """

    def __init__(self, code: type[Code], at: str | None = None, **facts: Any) -> None:
        super().__init__(code.id)
        self.code = code
        self.at = at
        self.facts = facts


class Param:
    """One field of a layer type's message: its kind, default, limits and doc."""

    __slots__ = ("default", "doc", "field", "kind", "limits", "message", "name", "required")

    def __init__(
        self, default: Any, doc: str, message: str, field: str, limits: dict[str, Any]
    ) -> None:
        self.name = ""
        self.kind = ""
        self.required = default is ...
        self.default = None if self.required else default
        self.doc = doc
        self.message = message
        self.field = field
        self.limits = limits

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the values this field takes."""
        schema = dict(KINDS[self.kind])
        limits = {key: value for key, value in self.limits.items() if key != "choices"}
        if "choices" in self.limits:
            limits["enum"] = list(self.limits["choices"])
        if "items" in schema and "properties" not in schema:
            item = {k: v for k, v in limits.items() if k in ("minimum", "maximum")}
            schema["items"] = schema["items"] | item
        return schema | limits | ({"description": self.doc} if self.doc else {})


def param(
    *,
    default: Any = ...,
    doc: str = "",
    message: str = "",
    field: str = "",
    **limits: Any,
) -> Any:
    """Declare a param; without `default` it must be given. Limits are JSON Schema keywords.

    `message` names the Caffe message that holds it, where it is not the layer type's own;
    `field` its name there, where that differs; `choices` are the words it takes.
    """
    return Param(default, doc, message, field, limits)


# params by which a weight is computed from what is stored
PARAMETRIZATIONS = ("spectral_norm", "equalized_lr", "binary_weight")
FILLERS = ("constant", "uniform", "gaussian", "positive_unitball", "xavier", "msra", "bilinear")
_NUMBER = {"type": "number"}
FILLER: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "enum": list(FILLERS), "default": "constant"},
        "value": _NUMBER | {"default": 0},
        "min": _NUMBER | {"default": 0},
        "max": _NUMBER | {"default": 1},
        "mean": _NUMBER | {"default": 0},
        "std": _NUMBER | {"default": 1},
        "sparse": {"type": "integer", "default": -1},
        "variance_norm": {"type": "string", "enum": ["FAN_IN", "FAN_OUT", "AVERAGE"]},
    },
}
_SIZE = {"type": ["integer", "string"], "minimum": 0}
SHAPE: dict[str, Any] = {
    "type": ["object", "array"],
    "additionalProperties": False,
    "properties": {"dim": {"type": ["array", "integer", "string"], "items": _SIZE}},
    "items": _SIZE,
}
KINDS: dict[str, dict[str, Any]] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "str": {"type": "string"},
    # limits of numbers apply to numbers only and `items` to arrays only: no oneOf is needed
    "PerAxis": {"type": ["integer", "array"], "items": {"type": "integer"}},
    "Ints": {"type": ["integer", "array"], "items": {"type": "integer"}},
    "Floats": {"type": ["number", "array"], "items": {"type": "number"}},
    "Bools": {"type": ["boolean", "array"], "items": {"type": "boolean"}},
    "Filler": FILLER,
    "Fillers": FILLER | {"type": ["object", "array"], "items": FILLER},
    "Shape": SHAPE,
    "Shapes": SHAPE | {"items": SHAPE | {"type": ["object", "array", "integer", "string"]}},
    "Strings": {"type": ["string", "array"], "items": {"type": "string"}},
    "Map": {"type": "object"},
}


@dataclass_transform(kw_only_default=True, field_specifiers=(param,))
class Layer:
    """A layer type, and with its params given, a layer.

    A subclass states everything once: params with limits, defaults and docs, the rule from the
    shapes of its bottoms to those of its tops, its weights and its cost. Rules are pure; they do
    ordinary arithmetic on sizes, ints and symbols alike, and raise Reject for no.
    """

    family = "other"  # groups types in docs and drawings
    message = ""  # the key of the params in an entry; from the class name where empty
    bottoms: Counts = 1  # how many it takes: a count, or (least, most)
    tops: Counts = 1
    reads: str | tuple[str, ...] = "float"  # float, index or any; one for each bottom if a tuple
    in_place = True  # may a top have the name of its bottom
    loss = False  # its first top counts in the training loss by default
    source = False  # it declares its tops itself: a data layer
    opaque = False  # only the caller may know what it makes
    no_gradient: tuple[int, ...] = ()  # bottoms that can get no gradient
    one_gradient: bool = False  # only the first top has one, and no first state gets one

    params: dict[str, Param] = {}
    messages: dict[str, dict[str, Param]] = {}  # by message, then by field

    def __init_subclass__(cls) -> None:
        params = dict(cls.params)
        # inspect.get_annotations would say the same, and is slow to import
        annotations = cls.__dict__.get("__annotations__", {})  # noqa: RUF063
        for name, kind in annotations.items():
            declared = cls.__dict__.get(name)
            if isinstance(declared, Param):
                declared.name = name
                declared.kind = kind if isinstance(kind, str) else kind.__name__
                declared.field = declared.field or name
                params[name] = declared
                setattr(cls, name, declared.default)
        cls.params = params
        cls.message = cls.__dict__.get("message") or f"{snake(cls.__name__)}_param"
        cls.messages = {}
        for declared in params.values():
            fields = cls.messages.setdefault(declared.message or cls.message, {})
            fields[declared.field] = declared

    def __init__(self, **params: Any) -> None:
        self.__dict__.update(params)
        self.given = frozenset(params)  # what the spec says, defaults apart
        self.top_count = 1
        self.bottom_count = 1

    def __repr__(self) -> str:
        given = (name for name in self.params if name in self.given)
        inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in given)
        return f"{type(self).__name__}({inner})"

    @classmethod
    def schemas(cls) -> dict[str, dict[str, Any]]:
        """Return the JSON Schema of each message of this type, by key."""
        return {
            message: {
                "type": "object",
                "additionalProperties": False,
                "properties": {field: p.schema() for field, p in fields.items()},
                "required": [field for field, p in fields.items() if p.required],
            }
            for message, fields in cls.messages.items()
        }

    @classmethod
    def needs(cls) -> list[str]:
        """Return the messages that must be given, because one of their fields must be."""
        return [m for m, fields in cls.messages.items() if any(p.required for p in fields.values())]

    def infer(self, *bottoms: Blob) -> Blob | Sequence[Blob]:
        """Return the blobs of the tops; here, the first bottom's."""
        return bottoms[0]

    def agree(self, *bottoms: Blob) -> Iterable[Agreement]:
        """Yield the pairs of sizes that must be equal: (axis, size, other size, index of bottom).

        They are judged by infer.py: equal, unequal, or equal under a condition of the net. A fifth
        item is the Reject for unequal sizes, where another than E402 says it better.
        """
        return ()

    def weights(self, *bottoms: Blob) -> Iterable[tuple[str, Sequence[Size]]]:
        """Yield the name and shape of each learned tensor, in Caffe's order."""
        return ()

    def state(self, *bottoms: Blob) -> Iterable[tuple[str, Sequence[Size]]]:
        """Yield the name and shape of each tensor updated without gradient."""
        return ()

    def blob_order(self, weights: list[Any], state: list[Any]) -> list[Any]:
        """Return the layer's tensors in the order of Caffe's blobs, which `param` follows."""
        return weights + state

    def fillers(self) -> dict[str, Filler | None]:
        """Return how each weight starts where the spec says so, by weight name."""
        named = {"weight": "weight_filler", "bias": "bias_filler"}
        return {
            weight: getattr(self, name)
            for weight, name in named.items()
            if name in self.params and name in self.given
        }

    @property
    def fixed_weights(self) -> bool:
        """Return whether its params say that its weights are not learned."""
        return False

    def output_axis(self) -> int:
        """Return the axis of the outputs in its weight."""
        return 0

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Return the multiply-accumulates of one forward pass, whole batch."""
        return 0

    def window(self, *bottoms: Blob) -> Window | None:
        """Return the sliding window over the spatial axes; None where there is none."""
        return None


def snake(name: str) -> str:
    """Return a class name as a stem: `InnerProduct` is `inner_product`, `LRN` is `lrn`."""
    pieces: list[str] = []
    for index, letter in enumerate(name):
        starts = letter.isupper() and (
            index and (not name[index - 1].isupper() or name[index + 1 : index + 2].islower())
        )
        pieces.append("_" + letter.lower() if starts else letter.lower())
    return "".join(pieces)


def per_axis(
    layer: Layer, name: str, axes: int, default: int, least: int | None = None
) -> tuple[int, ...]:
    """Return a repeated param with one value for each of `axes` spatial axes.

    As in Caffe it is given once for all axes, once for each, or not at all.
    Rejects E412 where the number of values fits neither.
    """
    from . import codes

    values = listed(getattr(layer, name))
    if not values:
        return (default,) * axes
    if len(values) not in (1, axes):
        raise Reject(codes.WrongParamCount, at=name, count=len(values), axes=axes)
    return tuple(values) * axes if len(values) == 1 else tuple(values)


def canonical_axis(layer: Layer, name: str, blob: Blob, extra: int = 0) -> int:
    """Return an axis param counted from 0; negative ones count from the end. Rejects E405."""
    from . import codes

    axis: int = getattr(layer, name)
    rank = blob.rank + extra
    if not -rank <= axis < rank:
        raise Reject(codes.AxisOutOfRange, at=name, value=axis, rank=blob.rank, shape=str(blob))
    return axis + rank if axis < 0 else axis


def shape_of(value: Any) -> list[Any]:
    """Return the dims of a BlobShape: `{dim: [1, 3]}`, `{dim: 1}`, or the list alone."""
    dims = value.get("dim", []) if isinstance(value, dict) else value
    return list(dims) if isinstance(dims, list | tuple) else [dims]


def fixed(blob: Blob, axis: int, wanted: Size, bottom: int) -> Agreement:
    """Return that an axis of a bottom must have a certain size. Rejects E414."""
    from . import codes

    size = blob.shape[axis]
    facts: dict[str, Any] = {"axis": f"axis {axis}", "size": size, "wanted": wanted}
    return f"axis {axis}", size, wanted, bottom, Reject(codes.WrongSize, bottom=bottom, **facts)


def listed(value: Any) -> list[Any]:
    """Return a repeated field as a list: it may be unset, one value, or several."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def given_together(layer: Layer, one: str, other: str) -> bool:
    """Return whether two params are given. Rejects E408 for one without the other."""
    for name, missing in (one, other), (other, one):
        if name in layer.given and missing not in layer.given:
            from . import codes

            raise Reject(codes.ParamMissing, at=name, param=missing, what=f" beside `{name}`")
    return one in layer.given


def need_rank(blob: Blob, least: int, most: int | None = None, bottom: int | None = None) -> None:
    """Reject E404 a blob of fewer axes than `least`, or of more than `most`."""
    if blob.rank < least or (most is not None and blob.rank > most):
        from . import codes

        expected = f"at least {least}" if most is None else str(least)
        if most is not None and most > least:
            expected += f" or {most}" if most == least + 1 else f" to {most}"
        shape = str(blob) or "a scalar"
        raise Reject(codes.WrongRank, expected=expected, rank=blob.rank, shape=shape, bottom=bottom)


def need_ranks(bottoms: Sequence[Blob], *ranks: int) -> None:
    """Reject E404 bottoms that do not have these numbers of axes; the last may be absent."""
    for index, (blob, rank) in enumerate(zip(bottoms, ranks, strict=False)):
        need_rank(blob, rank, rank, index)


def same_shape(*bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
    """Yield that every bottom must have the shape of the first. Rejects E404 for the rank."""
    first = bottoms[0]
    for index, other in enumerate(bottoms[1:], 1):
        need_rank(other, first.rank, first.rank, index)
        for axis, (size, wanted) in enumerate(zip(other.shape, first.shape, strict=True)):
            yield f"axis {axis}", size, wanted, index


def reject_filler(layer: Layer, filler: Filler | None, shape: Sequence[Size]) -> None:
    """Reject E413 a filler that cannot fill a weight of this shape.

    Source: BVLC/caffe, include/caffe/filler.hpp and src/caffe/util/math_functions.cpp.
    """
    if not filler:
        return
    kind, sparse = filler.get("type", "constant"), filler.get("sparse", -1)
    reason, inside = "", "type"
    if kind == "uniform" and filler.get("min", 0) > filler.get("max", 1):
        reason = f"draws from {filler.get('min', 0)} to {filler.get('max', 1)}, which is nothing"
        inside = "min" if "min" in filler else "max"
    elif kind == "gaussian" and filler.get("std", 1) <= 0:
        reason, inside = f"needs a std above 0, not {filler['std']}", "std"
    elif sparse != -1 and kind != "gaussian":
        reason, inside = f"has no `sparse: {sparse}`: that is for gaussian", "sparse"
    elif sparse != -1:
        outputs = shape[0] if shape else 0
        if sparse < 0 or (isinstance(outputs, int) and sparse > outputs):
            reason, inside = f"keeps `sparse: {sparse}` of {outputs} outputs", "sparse"
    elif kind == "bilinear":
        square = len(shape) == 4 and shape[2] == shape[3]
        reason = "" if square else f"fills square 2-D filters, not {'x'.join(map(str, shape))}"
    if reason:
        from . import codes

        given = [name for name in layer.params if getattr(layer, name) is filler]
        at = given[0] if given else None
        raise Reject(codes.BadParam, at=at, inside=(inside,), value=kind, reason=reason)
