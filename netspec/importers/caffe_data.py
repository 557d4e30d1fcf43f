"""Caffe's data layers as inputs: which blobs they make, and what the file says of their shapes."""

from __future__ import annotations

from .. import codes
from ..expand import Choice
from ..schema import find_type, nearest_type
from ..spec import as_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..diagnostics import Report
    from .caffe import Imported
    from .caffe_upgrade import Path, Raw

    Dims = list[Any]

SOURCES = ("Input", "Data", "ImageData", "HDF5Data", "WindowData", "MemoryData")
TOPS = {"Data": (1, 2), "ImageData": (2, 2), "MemoryData": (2, 2), "WindowData": (2, 2)}
BATCH = "N"


class _Top:
    """A blob that data layers make: what is known of its shape, None where nothing is."""

    __slots__ = ("dims", "index", "layer")

    def __init__(self, dims: Dims | None, layer: Raw, index: int) -> None:
        self.dims = dims  # None in it for an extent the file does not say
        self.layer = layer
        self.index = index


def is_source(raw: Raw) -> bool:
    """Return whether a layer hands data on that is not in the file: Caffe's types, and forks'."""
    kind = raw.values.get("type") or ""
    if kind in SOURCES:
        return True
    if raw.values.get("bottom") or not raw.values.get("top"):
        return False
    # a type that nobody knows makes something of nothing: data, unless its name is misspelt
    return kind == "Python" or (
        bool(kind) and find_type(kind) is None and ("Data" in kind or not nearest_type(kind))
    )


def inputs(
    raws: list[Raw], shapes: Mapping[str, Sequence[Any]], document: Imported, report: Report
) -> tuple[dict[str, Any], list[Raw]]:
    """Return the inputs that data layers stand for, by name, and the layers that are left.

    A data layer that is not in every net, or whose blobs differ by phase, stays a layer of type
    Input. Shapes that nobody knows are noted in the document's `asks`.
    """
    sources = [raw for raw in raws if is_source(raw)]
    for raw in sources:
        refuse(raw, document, report)
    made = {id(raw): _tops(raw, shapes) for raw in sources}
    by_name: dict[str, list[_Top]] = {}
    for raw in sources:
        for name, top in made[id(raw)].items():
            by_name.setdefault(name, []).append(top)
    others = _made_elsewhere(raws)
    whole = {
        name for name, tops in by_name.items()
        if name not in others and _everywhere([top.layer for top in tops])
        and not _read_before(name, raws, tops[0].layer) and _merged(tops) is not False
    }  # fmt: skip
    while True:  # a layer that stays keeps all its blobs, and so does another that makes one too
        left = [raw for raw in sources if not whole.issuperset(made[id(raw)]) or not made[id(raw)]]
        kept = whole & {top for raw in left for top in made[id(raw)]}
        if not kept:
            break
        whole -= kept
    stay = set(map(id, left))
    found: dict[str, Any] = {}
    left = []
    for raw in raws:
        if not is_source(raw):
            left.append(raw)
        elif id(raw) in stay:
            left.append(_as_input(raw, made[id(raw)], document))
        else:
            for name, top in made[id(raw)].items():
                if name in found:
                    continue
                origin = raw.origin(("top", top.index))
                document.places["inputs", name] = origin
                for axis, dim in enumerate(top.dims or ()):
                    if raw.values["type"] == "Input" and type(dim) is int and dim < 1:
                        document.places["inputs", name, axis] = _dim(raw, top.index, axis)
                dims = _merged(by_name[name])
                found[name] = _settled(name, dims if isinstance(dims, list) else None, document)
    return found, left


def refuse(raw: Raw, document: Imported, report: Report) -> None:
    """Note what Caffe refuses of a data layer."""
    values = raw.values
    name, kind = values.get("name", ""), values["type"]
    if bottoms := values.get("bottom"):
        report.add(
            codes.WrongBottomCount, document.values.span(*raw.origin(("bottom",))), type=kind,
            layer=name, expected="0 bottoms", count=len(bottoms),
        )  # fmt: skip
    names = values.get("top", ())
    fewest, most = TOPS.get(kind, (1, len(names)))
    if names and not fewest <= len(names) <= most:
        wanted = f"{most} tops" if fewest == most else f"{fewest} or {most} tops"
        report.add(
            codes.WrongTopCount, document.values.span(*raw.origin(("top",))), type=kind,
            layer=name, expected=wanted, count=len(names),
        )  # fmt: skip
    shapes = values.get("input_param", {}).get("shape", []) if kind == "Input" else []
    if len(shapes) not in (0, 1, len(names)):
        report.add(
            codes.WrongCount, document.values.span(*raw.origin(("input_param", "shape"))),
            key="shape", layer=name, expected=f"1 or {len(names)}", count=len(shapes),
        )  # fmt: skip
    if kind == "MemoryData" and "dim" not in values.get("memory_data_param", {}):
        refuse_empty(raw, document, report)
    if kind == "HDF5Data" and "transform_param" in values:
        report.add(
            codes.BadParam, document.values.name_span(*raw.origin(("transform_param",))),
            param="transform_param", value=values["transform_param"], layer=name,
            reason="is not for HDF5Data, which hands its data on as it is",
        )  # fmt: skip


def _dim(raw: Raw, top: int, axis: int) -> Path:
    """Return where an Input says the extent of an axis of a top."""
    shapes = raw.values.get("input_param", {}).get("shape", [])
    return raw.origin(("input_param", "shape", min(top, len(shapes) - 1), "dim", axis))


def refuse_empty(raw: Raw, document: Imported, report: Report) -> None:
    """Note the extents that a MemoryData lacks, or that are 0."""
    param = raw.values.get("memory_data_param", {})
    for key in ("batch_size", "channels", "height", "width"):
        if key not in param:
            report.add(
                codes.ParamMissing, document.values.name_span(*raw.origin(("memory_data_param",))),
                layer=raw.values.get("name", ""), param=key, what=" (an extent of the data)",
            )  # fmt: skip
        elif param[key] == 0:
            report.add(
                codes.OutOfRange, document.values.span(*raw.origin(("memory_data_param", key))),
                key=key, value=0, limit="at least 1",
            )  # fmt: skip


def _settled(name: str, dims: Dims | None, document: Imported) -> Dims:
    """Return the shape of an input; note in the document where it has to be asked for."""
    if dims is not None and None not in dims:
        return dims
    document.asks[name] = suggestion(name, dims)
    return []


def suggestion(name: str, dims: Dims | None) -> str:
    """Return the option that gives an input its shape, as far as it is known."""
    if dims is None:
        return f"--shape {name}=N,..."
    usual = (BATCH, 3, 224, 224)
    shown = [usual[min(axis, 3)] if dim is None else dim for axis, dim in enumerate(dims)]
    return f"--shape {name}={','.join(map(str, shown))}"


def _as_input(raw: Raw, tops: dict[str, _Top], document: Imported) -> Raw:
    """Turn a data layer that stays a layer into one of type Input."""
    kind = raw.values["type"]
    if kind == "Input":
        return raw
    keep = ("name", "top", "include", "exclude", "phase")
    raw.values = {key: value for key, value in raw.values.items() if key in keep}
    raw.values["type"] = "Input"
    shapes = [_settled(name, top.dims, document) for name, top in tops.items()]
    raw.values["input_param"] = {"shape": [{"dim": dims} for dims in shapes]}
    raw.routes[("input_param",)] = raw.base
    return raw


def _merged(tops: list[_Top]) -> Dims | bool | None:
    """Return one shape for a blob made in several phases; False where there is none."""
    dims = tops[0].dims
    for top in tops[1:]:
        if dims is None or top.dims is None:
            dims = dims if top.dims is None else top.dims
            continue
        if len(top.dims) != len(dims):
            return False
        both = []
        for axis, (one, other) in enumerate(zip(dims, top.dims, strict=True)):
            if one is None or other is None or one == other:
                both.append(other if one is None else one)
            elif axis == 0:
                both.append(BATCH)
            else:
                return False
        dims = both
    return dims


def _everywhere(layers: list[Raw]) -> bool:
    """Return whether exactly one of the layers is in every net, as far as phases decide."""
    counts = {"TEST": 0, "TRAIN": 0}
    for raw in layers:
        if any(rule.keys() - {"phase"} for rule in raw.rules):
            return False
        for phase in counts:
            counts[phase] += raw.kept(Choice(phase))
    return counts == {"TEST": 1, "TRAIN": 1}


def _made_elsewhere(raws: list[Raw]) -> set[str]:
    found: set[str] = set()
    for raw in raws:
        if is_source(raw):
            continue
        bottoms = raw.values.get("bottom", ())
        for index, top in enumerate(raw.values.get("top", ())):
            if index >= len(bottoms) or bottoms[index] != top:
                found.add(top)
    return found


def _read_before(name: str, raws: list[Raw], layer: Raw) -> bool:
    for raw in raws:
        if raw is layer:
            return False
        if name in raw.values.get("bottom", ()):
            return True
    return False


def _tops(raw: Raw, shapes: Mapping[str, Sequence[Any]]) -> dict[str, _Top]:
    """Return what is known of the blobs of a data layer; `shapes` come first."""
    names = raw.values.get("top", [])
    known = _declared(raw, len(names))
    batch: Any = None
    found: dict[str, _Top] = {}
    for index, name in enumerate(names):
        dims = known[index] if index < len(known) else None
        if name in shapes:
            given = list(shapes[name])
            if dims and given and given[0] != dims[0]:
                batch = given[0]
            dims = given
        elif batch is not None and dims and raw.values["type"] != "Input":
            dims = [batch, *dims[1:]]  # one item of a batch is one item of every top
        found[name] = _Top(dims, raw, index)
    return found


def _declared(raw: Raw, count: int) -> list[Dims | None]:
    values, kind = raw.values, raw.values["type"]
    if kind == "Input":
        given = values.get("input_param", {}).get("shape", [])
        shapes: list[Dims | None] = [list(shape.get("dim", [])) for shape in given]
        return shapes * count if len(shapes) == 1 else shapes
    transform = values.get("transform_param", {})
    crop = transform.get("crop_size") or None
    means = len(transform.get("mean_value", ()))  # one for all channels, or one for each
    colour = means if means > 1 else None
    if transform.get("force_color") or transform.get("force_gray"):
        colour = 3 if transform.get("force_color") else 1
    param: dict[str, Any] = {}
    for message in ("data_param", "image_data_param", "hdf5_data_param", "window_data_param",
                    "memory_data_param"):  # fmt: skip
        if message.replace("_", "").startswith(kind.lower()):
            param = values.get(message, {})
    if not param and kind not in SOURCES:
        param = values.get("data_param", {})
    batch = param.get("batch_size")
    if "dim" in param:  # naibaf7's form, of any rank
        return [as_list(param["dim"]), *(None for _ in range(count - 1))]
    if kind == "MemoryData":
        image = [param.get(key, 0) for key in ("batch_size", "channels", "height", "width")]
    elif kind == "ImageData":
        batch = param.get("batch_size", 1)
        sides = [crop or param.get(key) or None for key in ("new_height", "new_width")]
        image = [batch, 3 if param.get("is_color", True) else 1, *sides]
    elif kind == "HDF5Data":
        return [None] * count
    else:
        resize = transform.get("resize_param", {})  # SSD's: it makes every image this size
        whole = resize.get("resize_mode", "WARP") != "FIT_SMALL_SIZE"
        sides = [crop or (whole and resize.get(key)) or None for key in ("height", "width")]
        image = [batch, colour, *sides]
    label = [batch] if kind in SOURCES else None  # of a fork: a box, a map, or anything
    return [image, *([label] * (count - 1))]
