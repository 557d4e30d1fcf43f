"""Read a darknet cfg as a spec, and the .weights that belong to it.

Source: AlexeyAB/darknet, src/parser.c; pjreddie/darknet has the same sections.
"""

from __future__ import annotations

from math import prod

from .. import codes
from ..document import Document
from ..spec import as_list
from . import darknet_cfg
from .caffe_weights import Fit
from .darknet_extents import extents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..diagnostics import Report
    from ..net import Net
    from ..text import Source, Span
    from .darknet_cfg import Section

    Raw = dict[str, Any]

LEAKY = 0.1
NORM = ("weight", "running_mean", "running_var")  # as a .weights file has them, after the bias
FRACTION = 0.99  # of a running average that a step keeps

# activation: the stem of the layer's name, its type and its params
ACTIVATIONS: dict[str, tuple[str, str, Raw]] = {
    "leaky": ("leaky", "ReLU", {"relu_param": {"negative_slope": LEAKY}}),
    "relu": ("relu", "ReLU", {}),
    "relu6": ("relu", "ReLU6", {}),
    "mish": ("mish", "Mish", {}),
    "swish": ("swish", "SiLU", {}),
    "logistic": ("sigmoid", "Sigmoid", {}),
    "tanh": ("tanh", "TanH", {}),
    "elu": ("elu", "ELU", {}),
}
HEADS = ("yolo", "region", "detection", "Gaussian_yolo", "contrastive", "cost")
# options about training, data, or the speed of it: they change no shape and no number
TRAINING = frozenset((
    "stopbackward", "onlyforward", "dontload", "dontsave", "dontloadscales", "share_index",
    "random", "train_only_bn", "learning_rate", "clip", "flipped", "dot", "antialiasing",
    "flip", "angle", "saturation", "exposure", "shift",
))  # fmt: skip


class DarknetDocument(Document):
    """The spec that a cfg stands for; places are those of its sections and options."""

    __slots__ = ("head", "order", "sections")

    def __init__(self, source: Source, head: Section) -> None:
        super().__init__(source, {})
        self.head = head
        self.sections: list[tuple[Section, dict[str, str]]] = []  # one for each entry
        self.order: list[tuple[str, tuple[str, ...]]] = []  # of the weights in a .weights file

    @property
    def templated(self) -> bool:
        """Return False: a cfg has no variables."""
        return False

    def span(self, *path: str | int) -> Span:
        """Return the place of the option behind a value, or of its section."""
        section, options = self._section(path)
        if isinstance(path[-1] if path else None, str):
            name = options.get(str(path[-1]))
            if name is not None and name in section.options:
                return section.options[name].span
        return section.span

    def key_span(self, *path: str | int) -> Span:
        """Return the place of the section."""
        return self._section(path)[0].span

    def span_in(self, path: tuple[str | int, ...], start: int, end: int) -> Span:
        """Return the place of the option behind a value."""
        return self.span(*path)

    def _section(self, path: tuple[str | int, ...]) -> tuple[Section, dict[str, str]]:
        if len(path) > 1 and path[0] == "layers" and isinstance(path[1], int):
            return self.sections[min(path[1], len(self.sections) - 1)]
        return self.head, {}


def read(
    name: str, raw: bytes, report: Report, shapes: Mapping[str, Sequence[Any]] | None = None
) -> DarknetDocument:
    """Return the spec of a cfg; `shapes` may give that of its input, `data`."""
    source = darknet_cfg.decode(name, raw)
    head, *sections = darknet_cfg.parse(source, report)
    document = DarknetDocument(source, head)
    _Reading(document, report).net(sections, (shapes or {}).get("data"))
    report.close()
    return document


class _Reading:
    """One pass over the sections; `made` holds the blob each of them makes."""

    def __init__(self, document: DarknetDocument, report: Report) -> None:
        self.document = document
        self.report = report
        self.entries: list[Raw] = []
        self.made: list[str] = []
        self.outputs: list[str] = []
        self.index = 0
        self.section = document.head
        self.extents: dict[str, tuple[int, ...]] = {}  # of blobs: channels, height and width

    def net(self, sections: list[Section], shape: Sequence[Any] | None) -> None:
        """Fill the spec's value."""
        head, value = self.document.head, self.document.value
        size = [head.integer(self.report, key, 0) for key in ("channels", "height", "width")]
        crop = sections[0] if sections and sections[0].type == "crop" else None
        if crop is not None:  # it cuts what the data is, before the net
            size[1:] = [
                crop.integer(self.report, f"crop_{side}", 0) for side in ("height", "width")
            ]
        elif head.integer(self.report, "inputs", 0) and not all(size):
            size = [head.integer(self.report, "inputs", 0)]
        if not all(extent > 0 for extent in size) and shape is None:
            self.report.fatal(
                codes.CfgSyntax, head.span, problem="expected height, width and channels in `[net]`"
            )
        value["name"] = _stem(self.document.source.name)
        value["inputs"] = {"data": list(shape) if shape is not None else ["N", *size]}
        value["layers"] = self.entries
        given = value["inputs"]["data"][1:]
        if len(given) == 3 and all(isinstance(extent, int) for extent in given):
            self.extents["data"] = tuple(given)
        for self.index, self.section in enumerate(sections):
            self.read_section()
        used = {name for entry in self.entries for name in as_list(entry["bottom"])}
        if self.made and self.made[-1] not in used:
            self.outputs.append(self.made[-1])
        value["outputs"] = list(dict.fromkeys(self.outputs))
        if not self.entries:
            self.report.fatal(codes.CfgSyntax, head.span, problem="no layers")

    def read_section(self) -> None:
        section = self.section
        kind = KINDS.get(section.type, section.type)
        if section.type in HEADS:
            if section.type != "cost":
                self.outputs.append(self.last)
            self.made.append(self.last)
            return
        reader = READERS.get(kind)
        if reader is None:
            self.report.add(
                codes.UnknownLayerType, section.span, type=section.type,
                hint="darknet's sections that can be imported: " + ", ".join(sorted(READERS)),
            )  # fmt: skip
            self.made.append(self.last)
            return
        before = self.report.failed
        reader(self)
        if not self.report.failed or before:
            section.refuse_unused(self.report, TRAINING)
        while len(self.made) <= self.index:
            self.made.append(self.last)

    @property
    def last(self) -> str:
        """Return the blob that the section before made."""
        return self.made[-1] if self.made else "data"

    def add(
        self, stem: str, type: str, bottoms: list[str], params: Raw | None = None,
        options: dict[str, str] | None = None,
    ) -> str:  # fmt: skip
        """Add a layer; return its top, which has its name."""
        name = f"{stem}{self.index}"
        bottom: Any = bottoms[0] if len(bottoms) == 1 else bottoms
        self.entries.append({"name": name, "type": type, "bottom": bottom, "top": name})
        self.entries[-1].update(params or {})
        found = [self.extents.get(each, ()) for each in bottoms]
        self.extents[name] = extents(type, found, params or {})
        self.document.sections.append((self.section, options or {}))
        return name

    def fitted(self, blob: str, wanted: tuple[int, ...], position: int) -> str:
        """Return a blob brought to other extents as a shortcut does: the common part counts."""
        found = self.extents.get(blob, ())
        mark = f"{position}_" if position else ""
        if not found or not wanted or found == wanted:
            return blob
        step = found[1] // wanted[1] if wanted[1] else 0
        if step > 1 and [side // step for side in found[1:]] == list(wanted[1:]):
            params: Raw = {"kernel_size": 1, "stride": step, "round_mode": "FLOOR"}
            blob = self.add(f"pick{mark}", "Pooling", [blob], {"pooling_param": params})
            self.extents[blob] = (found[0], *wanted[1:])
        if found[0] < wanted[0]:
            given = {"channel_pad_param": {"num_output": wanted[0]}}
            blob = self.add(f"widen{mark}", "ChannelPad", [blob], given)
        elif found[0] > wanted[0]:
            name = self.add(f"narrow{mark}", "Slice", [blob], {
                "slice_param": {"slice_point": wanted[0]},
            })  # fmt: skip
            self.entries[-1]["top"] = [f"{name}_0", f"{name}_1"]
            blob = f"{name}_0"
        return blob

    def integer(self, name: str, default: int) -> int:
        """Return a whole number of the section."""
        return self.section.integer(self.report, name, default)

    def activated(self, blob: str, default: str = "linear") -> str:
        """Add the activation of the section; return its top."""
        kind = self.section.word("activation", default)
        if kind == "linear":
            return blob
        if kind == "ramp":  # relu(x) + 0.1 x
            kept = self.add("relu", "ReLU", [blob])
            coeff = {"eltwise_param": {"coeff": [1, LEAKY]}}
            return self.add("ramp", "Eltwise", [kept, blob], coeff)
        if kind not in ACTIVATIONS:
            self.section.refuse(self.report, "activation", f"one of {', '.join(ACTIVATIONS)}, ramp")
            return blob
        stem, type, params = ACTIVATIONS[kind]
        return self.add(stem, type, [blob], dict(params))

    def normalised(self, blob: str) -> str:
        """Add a batch normalisation; return its top."""
        params = {"scale_bias": True, "moving_average_fraction": FRACTION}
        return self.add("bn", "BatchNorm", [blob], {"batch_norm_param": params})

    def steps(self, stride: int) -> Raw:
        """Return the `stride` of a window; nothing where it is 1 along both axes."""
        down, right = (self.integer(f"stride_{axis}", stride) for axis in "yx")
        if down != right:
            return {"stride": [down, right]}
        return {"stride": down} if down != 1 else {}

    def refuse_set(self, *names: str) -> None:
        """Refuse options that change what is computed, where they are on."""
        for name in names:
            if self.integer(name, 0):
                self.section.refuse(self.report, name, "0: it is not computed here")

    def convolutional(self) -> None:
        size, groups = self.integer("size", 1), self.integer("groups", 1)
        stride, dilation = self.integer("stride", 1), self.integer("dilation", 1)
        steps = self.steps(stride)
        pad = size // 2 * dilation if self.integer("pad", 0) else self.integer("padding", 0)
        norm = bool(self.integer("batch_normalize", 0))
        self.refuse_set("xnor", "binary", "bin_output", "deform", "rotate", "stretch", "sway")
        params: Raw = {"num_output": self.integer("filters", 1), "kernel_size": size, **steps}
        for name, value, plain in (
            ("pad", pad, 0),
            ("dilation", dilation, 1),
            ("group", groups, 1),
        ):
            if value != plain:
                params[name] = value
        if norm:
            params["bias_term"] = False
        options = {"num_output": "filters", "kernel_size": "size", "stride": "stride",
                   "group": "groups", "dilation": "dilation"}  # fmt: skip
        blob = self.add("conv", "Convolution", [self.last], {"convolution_param": params}, options)
        order = self.document.order
        order.append((f"bn{self.index}", ("bias", *NORM)) if norm else (blob, ("bias",)))
        order.append((blob, ("weight",)))
        if norm:
            blob = self.normalised(blob)
        self.made.append(self.activated(blob, "logistic"))

    def connected(self) -> None:
        norm = bool(self.integer("batch_normalize", 0))
        params: Raw = {"num_output": self.integer("output", 1)}
        if norm:
            params["bias_term"] = False
        blob = self.add(
            "fc", "InnerProduct", [self.last], {"inner_product_param": params},
            {"num_output": "output"},
        )  # fmt: skip
        order = self.document.order
        if norm:
            order.append((f"bn{self.index}", ("bias",)))
            order.append((blob, ("weight",)))
            order.append((f"bn{self.index}", NORM))
            blob = self.normalised(blob)
        else:
            order.append((blob, ("bias", "weight")))
        self.made.append(self.activated(blob, "logistic"))

    def batchnorm(self) -> None:
        self.document.order.append((f"bn{self.index}", ("bias", *NORM)))
        self.made.append(self.normalised(self.last))

    def local_avgpool(self) -> None:
        self.maxpool("AVE_EXC_PAD")

    def maxpool(self, pool: str = "MAX") -> None:
        stride = self.integer("stride", 1)
        size = self.integer("size", stride)
        padding = self.integer("padding", size - 1)
        self.refuse_set("maxpool_depth")
        steps = self.steps(stride)
        params: Raw = {"kernel_size": size, **steps}
        if pool != "MAX":
            params = {"pool": pool, **params}
        # a window as wide as its step ends where rounding up ends: no padding is needed
        if padding != size - 1 or steps.get("stride", 1) != size or pool != "MAX":
            params["round_mode"] = "FLOOR"
            if padding // 2:
                params["pad_begin"] = padding // 2
            if padding - padding // 2:
                params["pad_end"] = padding - padding // 2
        options = {"kernel_size": "size", "stride": "stride"}
        blob = self.add("pool", "Pooling", [self.last], {"pooling_param": params}, options)
        self.made.append(blob)

    def avgpool(self) -> None:
        params = {"pooling_param": {"pool": "AVE", "global_pooling": True}}
        self.made.append(self.add("pool", "Pooling", [self.last], params))

    def route(self) -> None:
        names = [self.reached(index, "layers") for index in self.wanted("layers")]
        groups, group = self.integer("groups", 1), self.integer("group_id", 0)
        found = [name for name in names if name is not None]
        if len(found) != len(names) or not found:
            return
        if not 0 <= group < max(1, groups):
            self.section.refuse(self.report, "group_id", f"from 0 to {groups - 1}")
            return
        if groups > 1:
            found = [
                self.part(name, position, groups, group) for position, name in enumerate(found)
            ]
        self.made.append(self.add("route", "Concat", found) if len(found) > 1 else found[0])

    def part(self, blob: str, position: int, groups: int, group: int) -> str:
        """Add the layer that takes one group of channels; return its top."""
        name = self.add(f"slice{position}_" if position else "slice", "Slice", [blob])
        tops = [f"{name}_{index}" for index in range(groups)]
        self.entries[-1]["top"] = tops
        if whole := self.extents.get(blob):
            self.extents.update((top, (whole[0] // groups, *whole[1:])) for top in tops)
        return tops[group]

    def shortcut(self) -> None:
        names = [self.reached(index, "from") for index in self.wanted("from")]
        for name in ("weights_type", "weights_normalization"):
            if self.section.word(name, "none") != "none":
                self.section.refuse(self.report, name, "none: learned weights are not read")
        found = [name for name in names if name is not None]
        if len(found) == len(names) and found:
            wanted = self.extents.get(self.last, ())
            found = [self.fitted(name, wanted, index) for index, name in enumerate(found)]
            self.made.append(self.activated(self.add("shortcut", "Eltwise", [self.last, *found])))

    def sam(self) -> None:
        name = self.reached(self.integer("from", 0), "from")
        if name is not None:
            params = {"eltwise_param": {"operation": "PROD"}}
            self.made.append(self.activated(self.add("sam", "Eltwise", [self.last, name], params)))

    def scale_channels(self) -> None:
        name = self.reached(self.integer("from", 0), "from")
        self.refuse_set("scale_wh")
        if name is not None:
            flat = self.add("flat", "Flatten", [self.last])
            scaled = self.add("scale", "Scale", [name, flat], {"scale_param": {"axis": 0}})
            self.made.append(self.activated(scaled))

    def upsample(self) -> None:
        stride, scale = self.integer("stride", 2), self.section.number(self.report, "scale", 1.0)
        if stride < 1:
            self.section.refuse(self.report, "stride", "at least 1: it makes the map larger")
            return
        params = {"upsample_param": {"scale": stride}}
        blob = self.add("upsample", "Upsample", [self.last], params, {"scale": "stride"})
        if scale != 1:
            blob = self.add("times", "Power", [blob], {"power_param": {"scale": scale}})
        self.made.append(blob)

    def reorg(self) -> None:
        params: Raw = {"stride": self.integer("stride", 1)}
        if self.integer("reverse", 0):
            params["reverse"] = True
        self.refuse_set("extra", "flatten")
        blob = self.add(
            "reorg", "Reorg", [self.last], {"reorg_param": params}, {"stride": "stride"}
        )
        self.made.append(blob)

    def dropout(self) -> None:
        self.refuse_set("dropblock")
        ratio = self.section.number(self.report, "probability", 0.5)
        blob = self.add(
            "drop", "Dropout", [self.last], {"dropout_param": {"dropout_ratio": ratio}},
            {"dropout_ratio": "probability"},
        )  # fmt: skip
        self.made.append(blob)

    def softmax(self) -> None:
        if self.integer("groups", 1) != 1:
            self.section.refuse(self.report, "groups", "1: one softmax over all classes")
        for name in ("tree", "tree_file"):
            if self.section.option(name):
                self.section.refuse(self.report, name, "absent: a tree of classes is not read")
        heat = self.section.number(self.report, "temperature", 1.0)
        blob = self.last
        if heat not in (0.0, 1.0):
            blob = self.add("cool", "Power", [blob], {"power_param": {"scale": 1 / heat}})
        self.made.append(self.add("softmax", "Softmax", [blob]))

    def activation(self) -> None:
        self.made.append(self.activated(self.last))

    def crop(self) -> None:
        for side in ("crop_width", "crop_height"):
            self.section.option(side)
        if self.index:
            self.report.add(
                codes.CfgSyntax, self.section.span, problem="`[crop]` can only be the first layer"
            )
        if self.integer("noadjust", 0):
            self.made.append(self.last)
            return
        params = {"power_param": {"scale": 2, "shift": -1}}
        self.made.append(self.add("adjust", "Power", [self.last], params))

    def wanted(self, name: str) -> list[int]:
        """Return the layers that an option lists."""
        if self.section.option(name) is None:
            self.section.refuse(self.report, name, "the layers to take")
            return []
        return self.section.integers(self.report, name)

    def reached(self, index: int, option: str) -> str | None:
        """Return the blob of a layer that is counted from here where it is negative."""
        position = self.index + index if index < 0 else index
        if not 0 <= position < self.index:
            self.section.refuse(
                self.report, option, f"a layer before this one, which is number {self.index}"
            )
            return None
        return self.made[position]


KINDS = {"conv": "convolutional", "max": "maxpool", "avg": "avgpool", "conn": "connected",
         "soft": "softmax", "Activation": "activation"}  # fmt: skip
READERS = {
    "convolutional": _Reading.convolutional,
    "connected": _Reading.connected,
    "batchnorm": _Reading.batchnorm,
    "maxpool": _Reading.maxpool,
    "local_avgpool": _Reading.local_avgpool,
    "avgpool": _Reading.avgpool,
    "route": _Reading.route,
    "shortcut": _Reading.shortcut,
    "sam": _Reading.sam,
    "scale_channels": _Reading.scale_channels,
    "upsample": _Reading.upsample,
    "reorg": _Reading.reorg,
    "dropout": _Reading.dropout,
    "softmax": _Reading.softmax,
    "activation": _Reading.activation,
    "crop": _Reading.crop,
}


def _stem(path: str) -> str:
    stem = path.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in stem) or "net"


def weights(net: Net, path: str, data: bytes) -> Fit:
    """Return the arrays of a net out of a .weights file, which must hold exactly these."""
    import numpy

    document = net.spec.document
    if not isinstance(document, DarknetDocument):
        from ..diagnostics import Report

        Report().fatal(
            codes.WeightsMisfit, None, file=path,
            misfits="darknet weights have no names: they fit the cfg they belong to",
        )  # fmt: skip
    shapes = {
        f"{node.name}.{weight.name}": weight.shape
        for node in net.flat.nodes
        for weight in (*node.weights, *node.state)
    }
    keys = [f"{layer}.{name}" for layer, names in document.order for name in names]
    counts = [(key, prod(shapes[key])) for key in keys]
    stretches = darknet_cfg.weights(path, data, counts)
    found = Fit()
    for key, stretch in zip(keys, stretches, strict=True):
        flat = numpy.frombuffer(stretch.cast("B"), numpy.float32)
        found.arrays[key] = flat.reshape(shapes[key])
    found.fitted = list(dict.fromkeys(layer for layer, _ in document.order))
    return found
