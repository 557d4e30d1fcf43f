"""The formats V0 and V1 as layers of V2. Source: BVLC/caffe, src/caffe/util/upgrade_proto.cpp."""

from __future__ import annotations

from .. import codes
from ..schema import find_type, found_types
from . import caffe_schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..diagnostics import Report
    from ..expand import Choice
    from .caffe_values import Values

    Path = tuple[str | int, ...]

_ODD_TYPES = {
    "NONE": "", "ABSVAL": "AbsVal", "ARGMAX": "ArgMax", "BNLL": "BNLL", "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output", "IM2COL": "Im2col", "LRN": "LRN", "MVN": "MVN", "RELU": "ReLU",
    "SOFTMAX_LOSS": "SoftmaxWithLoss", "TANH": "TanH", "PRELU": "PReLU",
}  # fmt: skip
_V0_TYPES = {
    "accuracy": "Accuracy", "bnll": "BNLL", "concat": "Concat", "conv": "Convolution",
    "data": "Data", "dropout": "Dropout", "euclidean_loss": "EuclideanLoss",
    "flatten": "Flatten", "hdf5_data": "HDF5Data", "hdf5_output": "HDF5Output",
    "im2col": "Im2col", "images": "ImageData", "infogain_loss": "InfogainLoss",
    "innerproduct": "InnerProduct", "lrn": "LRN",
    "multinomial_logistic_loss": "MultinomialLogisticLoss", "pool": "Pooling", "relu": "ReLU",
    "sigmoid": "Sigmoid", "softmax": "Softmax", "softmax_loss": "SoftmaxWithLoss",
    "split": "Split", "tanh": "TanH", "window_data": "WindowData",
}  # fmt: skip
# field of V0: {type of V0: (message, field)}
_CONV, _IP = ("conv", "convolution_param"), ("innerproduct", "inner_product_param")
_POOL, _LRN = ("pool", "pooling_param"), ("lrn", "lrn_param")
_DATA, _HDF5 = ("data", "data_param"), ("hdf5_data", "hdf5_data_param")
_IMAGES, _WINDOW = ("images", "image_data_param"), ("window_data", "window_data_param")
_V0_FIELDS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "num_output": ("num_output", (_CONV, _IP)),
    "biasterm": ("bias_term", (_CONV, _IP)),
    "weight_filler": ("weight_filler", (_CONV, _IP)),
    "bias_filler": ("bias_filler", (_CONV, _IP)),
    "pad": ("pad", (_CONV, _POOL)),
    "kernelsize": ("kernel_size", (_CONV, _POOL)),
    "group": ("group", (_CONV,)),
    "stride": ("stride", (_CONV, _POOL)),
    "pool": ("pool", (_POOL,)),
    "dropout_ratio": ("dropout_ratio", (("dropout", "dropout_param"),)),
    "local_size": ("local_size", (_LRN,)),
    "alpha": ("alpha", (_LRN,)),
    "beta": ("beta", (_LRN,)),
    "k": ("k", (_LRN,)),
    "source": (
        "source", (_DATA, _HDF5, _IMAGES, _WINDOW, ("infogain_loss", "infogain_loss_param")),
    ),
    "batchsize": ("batch_size", (_DATA, _HDF5, _IMAGES, _WINDOW)),
    "rand_skip": ("rand_skip", (_DATA, _IMAGES)),
    "shuffle_images": ("shuffle", (_IMAGES,)),
    "new_height": ("new_height", (_IMAGES,)),
    "new_width": ("new_width", (_IMAGES,)),
    "concat_dim": ("concat_dim", (("concat", "concat_param"),)),
    "det_fg_threshold": ("fg_threshold", (_WINDOW,)),
    "det_bg_threshold": ("bg_threshold", (_WINDOW,)),
    "det_fg_fraction": ("fg_fraction", (_WINDOW,)),
    "det_context_pad": ("context_pad", (_WINDOW,)),
    "det_crop_mode": ("crop_mode", (_WINDOW,)),
}  # fmt: skip
_V0_TRANSFORM = {
    "scale": "scale", "meanfile": "mean_file", "cropsize": "crop_size", "mirror": "mirror",
}  # fmt: skip
_TRANSFORMED = {
    "Data": "data_param", "ImageData": "image_data_param", "WindowData": "window_data_param",
}  # fmt: skip
_MULTIPLIERS = (
    ("param", "name"), ("blob_share_mode", "share_mode"), ("blobs_lr", "lr_mult"),
    ("weight_decay", "decay_mult"),
)  # fmt: skip


class Raw:
    """One layer in the form of V2, and the way back to where the file says it.

    `routes` leads from paths in `values` to paths in the file where they differ.
    """

    __slots__ = ("base", "routes", "values")

    def __init__(self, values: dict[str, Any], base: Path) -> None:
        self.values = values
        self.base = base
        self.routes: dict[Path, Path] = {}

    def origin(self, path: Path) -> Path:
        """Return the path in the file of a path in the layer."""
        for length in range(len(path), 0, -1):
            if (found := self.routes.get(path[:length])) is not None:
                return (*found, *path[length:])
        return (*self.base, *path)

    @property
    def ruled(self) -> bool:
        """Return whether the layer is not in every net."""
        return bool(self.values.get("include") or self.values.get("exclude"))

    @property
    def rules(self) -> list[dict[str, Any]]:
        """Return the rules that include or exclude the layer."""
        return [*self.values.get("include", ()), *self.values.get("exclude", ())]

    def kept(self, choice: Choice) -> bool:
        """Return whether a net holds the layer."""
        return choice.keeps(self.values.get("include", ()), self.values.get("exclude", ()))


def layers(values: Values, report: Report) -> tuple[list[Raw], str]:
    """Return the layers of a net in the form of V2, its inputs first, and the format it is in."""
    root = values.root
    old = root.get("layers") or []
    if old and root.get("layer"):
        first = [(values.name_span("layer"), "`layer` is used here")]
        report.fatal(
            codes.MixedLayers, values.name_span("layers"), first, file=values.document.source.name
        )
    form = "V2"
    if any("layer" in layer for layer in old):
        form = "V0"
        raws = [_v0(layer, ("layers", index)) for index, layer in enumerate(old)]
        raws = _without_padding(raws, values, report)
    elif old:
        form = "V1"
        raws = [_v1(layer, ("layers", index)) for index, layer in enumerate(old)]
    else:
        raws = [Raw(layer, ("layer", i)) for i, layer in enumerate(root.get("layer", ()))]
    if old:
        _move_transforms(raws)
    return [*_inputs(values, report), *raws], form


def v2_type(word: str) -> str:
    """Return the layer type for a word of the enum of V1, and of the enums that forks made of it.

    The CROP of the first FCNs is no Crop: it found its offsets by itself.
    """
    made = _ODD_TYPES.get(word, "".join(part.capitalize() for part in word.split("_")))
    if word in caffe_schema.enum("LayerType") or find_type(made) is not None:
        return made if word != "CROP" else word
    folded = word.replace("_", "").lower()
    return next((cls.__name__ for cls in found_types() if cls.__name__.lower() == folded), made)


def _v1(layer: dict[str, Any], base: Path) -> Raw:
    found = Raw({}, base)
    if "name" in layer:
        found.values["name"] = layer["name"]
    found.values["type"] = v2_type(layer.get("type") or "NONE")
    params: list[dict[str, Any]] = []
    known = caffe_schema.message("LayerParameter")
    for key, value in layer.items():
        if key in ("name", "type", "layer"):
            continue
        if key in ("param", "blob_share_mode", "blobs_lr", "weight_decay"):
            continue
        if key in known or key not in caffe_schema.message("V1LayerParameter"):
            found.values[key] = value
    for old, new in _MULTIPLIERS:
        for index, value in enumerate(layer.get(old, ())):
            while len(params) <= index:
                params.append({})
            params[index][new] = value
            found.routes["param", index, new] = (*base, old, index)
            found.routes.setdefault(("param", index), (*base, old, index))
    if params:
        found.values["param"] = params
        found.routes[("param",)] = found.routes["param", 0]
    return found


def _v0(layer: dict[str, Any], base: Path) -> Raw:
    inner = layer.get("layer")
    if inner is None:
        return _v1(layer, base)
    found = Raw({}, base)
    kind = inner.get("type", "")
    here: Path = (*base, "layer")
    for key in ("name", "type"):
        if key in inner:
            found.routes[(key,)] = (*here, key)
    if "name" in inner:
        found.values["name"] = inner["name"]
    found.values["type"] = "padding" if kind == "padding" else _V0_TYPES.get(kind, kind)
    for key in ("bottom", "top"):
        if key in layer:
            found.values[key] = layer[key]
    params: list[dict[str, Any]] = []
    for key, value in inner.items():
        if key in _V0_TRANSFORM:
            _put(found, "transform_param", _V0_TRANSFORM[key], value, (*here, key))
        elif key in ("blobs_lr", "weight_decay"):
            new = "lr_mult" if key == "blobs_lr" else "decay_mult"
            for index, item in enumerate(value):
                while len(params) <= index:
                    params.append({})
                params[index][new] = item
                found.routes["param", index, new] = (*here, key, index)
        elif key == "hdf5_output_param":
            found.values[key] = value
            found.routes[(key,)] = (*here, key)
        elif key in _V0_FIELDS:
            name, homes = _V0_FIELDS[key]
            message = dict(homes).get(kind)
            if message is not None:
                repeated = message == "convolution_param" and key in ("pad", "kernelsize", "stride")
                _put(found, message, name, [value] if repeated else value, (*here, key))
            elif kind == "padding" and key == "pad":
                found.values["pad"] = value
                found.routes[("pad",)] = (*here, key)
    if params:
        found.values["param"] = params
        found.routes[("param",)] = (*here, "blobs_lr" if "blobs_lr" in inner else "weight_decay")
    return found


def _put(raw: Raw, message: str, field: str, value: Any, origin: Path) -> None:
    raw.values.setdefault(message, {})[field] = value
    raw.routes[message, field] = origin
    raw.routes.setdefault((message,), origin)


def _without_padding(raws: list[Raw], values: Values, report: Report) -> list[Raw]:
    """Fold each padding layer into the convolution or pooling that reads it."""
    makers: dict[str, Raw] = {}
    kept: list[Raw] = []
    for raw in raws:
        kind = raw.values["type"]
        for position, bottom in enumerate(raw.values.get("bottom", ())):
            maker = makers.get(bottom)
            if maker is None or maker.values["type"] != "padding":
                continue
            message = {"Convolution": "convolution_param", "Pooling": "pooling_param"}.get(kind)
            if message is None or len(raw.values["bottom"]) != 1:
                report.add(
                    codes.PaddingReader, values.span(*raw.origin(("bottom", position))),
                    [(values.span(*maker.base), "the padding layer")],
                    layer=raw.values.get("name", ""),
                )  # fmt: skip
                continue
            if len(maker.values.get("bottom", ())) != 1 or len(maker.values.get("top", ())) != 1:
                name = maker.values.get("name", "")
                report.add(codes.PaddingReader, values.span(*maker.base), layer=name)
                continue
            pad = maker.values.get("pad", 0)
            origin = maker.origin(("pad",)) if "pad" in maker.values else maker.base
            _put(raw, message, "pad", [pad] if kind == "Convolution" else pad, origin)
            raw.values["bottom"] = list(maker.values["bottom"])
            raw.routes[("bottom",)] = (*maker.base, "bottom")
        if kind != "padding":
            kept.append(raw)
        for top in raw.values.get("top", ()):
            makers[top] = raw
    return kept


def _move_transforms(raws: list[Raw]) -> None:
    """Move what old data layers do to images where V2 has it."""
    for raw in raws:
        message = _TRANSFORMED.get(raw.values["type"])
        if message is None or message not in raw.values:
            continue
        for field in ("scale", "mean_file", "crop_size", "mirror"):
            if field in raw.values[message]:
                origin = raw.origin((message, field))
                _put(raw, "transform_param", field, raw.values[message].pop(field), origin)


def _inputs(values: Values, report: Report) -> list[Raw]:
    """Return the Input layer that `input` and its shapes stand for."""
    root = values.root
    names, shapes = root.get("input", []), root.get("input_shape", [])
    dims = root.get("input_dim", [])
    if not (shapes or dims):
        return []  # as in Caffe: inputs without a shape are dropped
    key = "input_shape" if shapes else "input_dim"
    if (len(shapes) if shapes else len(dims) // 4) < len(names) or (not shapes and len(dims) % 4):
        report.fatal(
            codes.InputShapes, values.name_span(key), names=len(names),
            count=f"{len(shapes)} `input_shape`" if shapes else f"{len(dims)} `input_dim`",
        )  # fmt: skip
    raw = Raw({"name": "input", "type": "Input", "top": names}, ())
    raw.routes[("top",)] = ("input",)
    raw.routes[("name",)] = raw.routes[("type",)] = ("input", 0)
    raw.routes["input_param", "shape"] = raw.routes[("input_param",)] = (key,)
    found = []
    for index in range(len(names)):
        if shapes:
            found.append(shapes[index])
        else:
            found.append({"dim": dims[4 * index : 4 * index + 4]})
            raw.routes["input_param", "shape", index] = ("input_dim", 4 * index)
    raw.values["input_param"] = {"shape": found}
    return [raw]
