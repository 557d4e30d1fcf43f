"""Reading: the sections of a cfg made into layers, one after another.

Source: AlexeyAB/darknet, src/parser.c; pjreddie/darknet has the same sections.
"""

from __future__ import annotations

from .. import codes
from ..spec import as_list
from . import darknet_recurrent
from .darknet_document import Stored
from .darknet_extents import extents
from .darknet_recurrent import FRACTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..diagnostics import Report
    from .darknet_cfg import Section
    from .darknet_document import DarknetDocument

    Raw = dict[str, Any]

LEAKY = 0.1
NORM = ("weight", "running_mean", "running_var")  # as a .weights file has them, after the bias

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
    "stopbackward", "onlyforward", "dontload", "dontsave", "dontloadscales", "random",
    "train_only_bn", "learning_rate", "clip", "dot", "flip", "angle", "saturation", "exposure",
    "shift", "assisted_excitation", "grad_centr", "stream", "wait_stream", "bin_output",
))  # fmt: skip


class Reading:
    """One pass over the sections; `made` holds the blob each of them makes."""

    def __init__(self, document: DarknetDocument, report: Report) -> None:
        self.document = document
        self.report = report
        self.entries: list[Raw] = []
        self.named: dict[str, Raw] = {}  # the entries by their names
        self.made: list[str] = []
        self.outputs: list[str] = []
        self.index = 0
        self.section = document.head
        self.extents: dict[str, tuple[int, ...]] = {}  # of blobs: channels, height and width
        self.steps = 1  # of time, in the rows of a batch

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
        self.steps = max(1, head.integer(self.report, "time_steps", 1))
        timed = self.steps > 1 and any(
            section.type in darknet_recurrent.READERS for section in sections
        )
        rows = f"{self.steps}*N" if timed else "N"
        value["inputs"] = {"data": list(shape) if shape is not None else [rows, *size]}
        value["layers"] = self.entries
        given = value["inputs"]["data"][1:]
        if len(given) in (1, 3) and all(isinstance(extent, int) for extent in given):
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
        """Read the section that is at hand."""
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
        entry = {"name": name, "type": type, "bottom": bottom, "top": name, **(params or {})}
        self.entries.append(entry)
        self.named[name] = entry
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
        if not len(found) == len(wanted) == 3:
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

    def activated(self, blob: str, default: str = "linear", mark: str = "") -> str:
        """Add the activation of the section, `mark` before its name; return its top."""
        kind = self.section.word("activation", default)
        if kind == "linear":
            return blob
        if kind == "ramp":  # relu(x) + 0.1 x
            kept = self.add(f"{mark}relu", "ReLU", [blob])
            coeff = {"eltwise_param": {"coeff": [1, LEAKY]}}
            return self.add(f"{mark}ramp", "Eltwise", [kept, blob], coeff)
        if kind not in ACTIVATIONS:
            self.section.refuse(self.report, "activation", f"one of {', '.join(ACTIVATIONS)}, ramp")
            return blob
        stem, type, params = ACTIVATIONS[kind]
        return self.add(f"{mark}{stem}", type, [blob], dict(params))

    def normalised(self, blob: str, mark: str = "") -> str:
        """Add a batch normalisation; return its top."""
        params = {"scale_bias": True, "moving_average_fraction": FRACTION}
        return self.add(f"{mark}bn", "BatchNorm", [blob], {"batch_norm_param": params})

    def steps_of(self, stride: int) -> Raw:
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

    def image(self, blob: str) -> str:
        """Return a blob that has a height and a width: 1 and 1 after rows of numbers."""
        found = self.extents.get(blob, ())
        if len(found) != 1:
            return blob
        shape = {"reshape_param": {"shape": {"dim": [0, *found, 1, 1]}}}
        blob = self.add("image", "Reshape", [blob], shape)
        self.extents[blob] = (*found, 1, 1)
        return blob

    def convolutional(self) -> None:
        """Add a convolution, its normalisation and its activation."""
        blob = self.filtered("conv", self.last, self.integer("filters", 1), "filters")
        self.made.append(self.activated(blob, "logistic"))

    def filtered(
        self, stem: str, blob: str, count: int, option: str, mark: str = "", size: int = 1
    ) -> str:
        """Add a convolution as the section says, and its normalisation; return the top."""
        size, groups = self.integer("size", size), self.integer("groups", 1)
        stride, dilation = self.integer("stride", 1), self.integer("dilation", 1)
        dilation = dilation if size > 1 else 1
        steps = self.steps_of(stride)
        pad = (size // 2 if self.integer("pad", 0) else self.integer("padding", 0)) * dilation
        norm = bool(self.integer("batch_normalize", 0) or self.integer("cbn", 0))
        self.refuse_set(
            "deform", "rotate", "stretch", "sway", "stretch_sway", "antialiasing", "coordconv",
            "flipped", "reverse",
        )  # fmt: skip
        params: Raw = {"num_output": count, "kernel_size": size, **steps}
        for name, value, plain in (
            ("pad", pad, 0),
            ("dilation", dilation, 1),
            ("group", groups, 1),
        ):
            if value != plain:
                params[name] = value
        if norm:
            params["bias_term"] = False
        blob = self.image(blob)
        signs = bool(self.integer("xnor", 0))
        if signs:
            blob = self.add(f"{mark}sign", "Binarize", [blob])
        if self.integer("binary", 0) or signs:
            params["binary_weight"] = True
        options = {"num_output": option, "kernel_size": "size", "stride": "stride",
                   "group": "groups", "dilation": "dilation"}  # fmt: skip
        conv = self.add(stem, "Convolution", [blob], {"convolution_param": params}, options)
        made = self.normalised(conv, mark) if norm else conv
        if self.section.option("share_index"):
            self.share()
            return made
        first = Stored(made, ("bias", *NORM)) if norm else Stored(conv, ("bias",))
        self.document.order += [first, Stored(conv, ("weight",))]
        return made

    def share(self) -> None:
        """Give the layers of this section the weights of those of another one."""
        index = self.integer("share_index", 0)
        owner = self.index + index if index < 0 else index
        both = [(f"{stem}{owner}", f"{stem}{self.index}") for stem in ("conv", "bn")]
        pairs = [
            (self.named[one], self.named[other])
            for one, other in both
            if one in self.named and other in self.named
        ]
        if not 0 <= owner < self.index or not pairs:
            self.section.refuse(
                self.report, "share_index", "the number of a `[convolutional]` before this one"
            )
        for entry, sharing in pairs:
            kinds = ["weight", "bias"]
            if entry.get("convolution_param", {}).get("bias_term") is False:
                kinds = ["weight"]
            still = ("mean", "var", "count") if entry["type"] == "BatchNorm" else ()
            sharing["param"] = entry.setdefault("param", [
                *({"name": f"{entry['name']}_{kind}", "lr_mult": 0} for kind in still),
                *({"name": f"{entry['name']}_{kind}"} for kind in kinds),
            ])  # fmt: skip

    def connected(self) -> None:
        """Add a product with all numbers of a row."""
        blob = self.dense("fc", self.last, self.integer("output", 1))
        self.made.append(self.activated(blob, "logistic"))

    def dense(self, stem: str, blob: str, outputs: int, parts: int = 1, mark: str = "") -> str:
        """Add a product, which darknet may keep in parts, and its normalisation; return the top."""
        norm = bool(self.integer("batch_normalize", 0))
        params: Raw = {"num_output": outputs * parts}
        if norm:
            params["bias_term"] = False
        options = {"num_output": "output"}
        blob = self.add(stem, "InnerProduct", [blob], {"inner_product_param": params}, options)
        made = self.normalised(blob, mark) if norm else blob
        for part in range(parts):
            self.document.order += [
                Stored(made, ("bias",), part, parts), Stored(blob, ("weight",), part, parts),
            ]  # fmt: skip
            if norm:
                self.document.order.append(Stored(made, NORM, part, parts))
        return made

    def local(self) -> None:
        """Add a convolution that has filters of its own at each place."""
        size, pad = self.integer("size", 1), self.integer("pad", 0)
        if pad and size != 2 * pad + 1:
            self.section.refuse(self.report, "pad", "0, or half of `size`")
        params: Raw = {"num_output": self.integer("filters", 1), "kernel_size": size}
        params.update(self.steps_of(self.integer("stride", 1)))
        if pad:
            params["pad"] = pad
        options = {"num_output": "filters", "kernel_size": "size", "stride": "stride"}
        blob = self.add(
            "local", "LocallyConnected", [self.image(self.last)],
            {"locally_connected_param": params}, options,
        )  # fmt: skip
        self.document.order.append(Stored(blob, ("bias", "weight")))
        self.made.append(self.activated(blob, "logistic"))

    def batchnorm(self) -> None:
        """Add a batch normalisation alone."""
        blob = self.normalised(self.last)
        self.document.order.append(Stored(blob, ("bias", *NORM)))
        self.made.append(blob)

    def empty(self) -> None:
        """Add nothing."""
        self.made.append(self.last)

    def local_avgpool(self) -> None:
        """Add a pooling by means."""
        self.maxpool("AVE_EXC_PAD")

    def maxpool(self, pool: str = "MAX") -> None:
        """Add a pooling, by maxima unless told otherwise."""
        stride = self.integer("stride", 1)
        size = self.integer("size", stride)
        padding = self.integer("padding", size - 1)
        self.refuse_set("maxpool_depth")
        steps = self.steps_of(stride)
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
        """Add the mean over each whole channel."""
        params = {"pooling_param": {"pool": "AVE", "global_pooling": True}}
        self.made.append(self.add("pool", "Pooling", [self.last], params))

    def route(self) -> None:
        """Take layers before this one, or a group of their channels, together."""
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
        """Add the sum with layers before this one."""
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
        """Add the product with a layer before this one."""
        name = self.reached(self.integer("from", 0), "from")
        if name is not None:
            params = {"eltwise_param": {"operation": "PROD"}}
            self.made.append(self.activated(self.add("sam", "Eltwise", [self.last, name], params)))

    def scale_channels(self) -> None:
        """Add the product of each channel of a layer with one number."""
        name = self.reached(self.integer("from", 0), "from")
        self.refuse_set("scale_wh")
        if name is not None:
            flat = self.add("flat", "Flatten", [self.last])
            scaled = self.add("scale", "Scale", [name, flat], {"scale_param": {"axis": 0}})
            self.made.append(self.activated(scaled))

    def upsample(self) -> None:
        """Repeat rows and columns."""
        stride, scale = self.integer("stride", 2), self.section.number(self.report, "scale", 1.0)
        if stride < 1:
            self.section.refuse(self.report, "stride", "at least 1: it makes the map larger")
            return
        params = {"upsample_param": {"scale": stride}}
        blob = self.add("upsample", "Upsample", [self.last], params, {"scale": "stride"})
        if scale != 1:
            blob = self.add("times", "Power", [blob], {"power_param": {"scale": scale}})
        self.made.append(blob)

    def reorg(self, whole: bool = False) -> None:
        """Move pixels into channels, in the way of YOLOv2 or as whole ones."""
        params: Raw = {"stride": self.integer("stride", 1)}
        if self.integer("reverse", 0):
            params["reverse"] = True
        elif whole:
            params["whole_pixels"] = True
        self.refuse_set("flatten")
        if extra := self.integer("extra", 0):  # then nothing is moved, and zeros are added
            flat = self.add("flat", "Flatten", [self.last])
            zeros = {"channel_pad_param": {"pad_end": extra}}
            self.made.append(self.add("extra", "ChannelPad", [flat], zeros, {"pad_end": "extra"}))
            return
        blob = self.add(
            "reorg", "Reorg", [self.last], {"reorg_param": params}, {"stride": "stride"}
        )
        self.made.append(blob)

    def reorg3d(self) -> None:
        """Move whole pixels into channels."""
        self.reorg(whole=True)

    def dropout(self) -> None:
        """Add a dropout."""
        self.refuse_set("dropblock")
        ratio = self.section.number(self.report, "probability", 0.5)
        blob = self.add(
            "drop", "Dropout", [self.last], {"dropout_param": {"dropout_ratio": ratio}},
            {"dropout_ratio": "probability"},
        )  # fmt: skip
        self.made.append(blob)

    def softmax(self) -> None:
        """Add a softmax over all numbers of a row, a group of them, or the channels."""
        self.section.option("noloss")
        blob, groups = self.last, self.integer("groups", 1)
        for name in ("tree", "tree_file"):
            if option := self.section.option(name):
                self.report.add(
                    codes.OptionFile, option.span, option=name, value=option.text,
                    section="softmax",
                    what="the net ends in the scores that a softmax among siblings would take",
                )  # fmt: skip
                self.made.append(blob)
                return
        heat = self.section.number(self.report, "temperature", 1.0)
        if heat not in (0.0, 1.0):
            blob = self.add("cool", "Power", [blob], {"power_param": {"scale": 1 / heat}})
        found = self.extents.get(blob, ())
        whole = found[1:] not in ((), (1, 1)) and not self.integer("spatial", 0)
        if whole or groups != 1:  # over all numbers of a row, or over each group of them
            shape = [0, groups, -1] if groups != 1 else [0, -1]
            params = {"reshape_param": {"shape": {"dim": shape}}}
            blob = self.add("row", "Reshape", [blob], params)
        axis = {"softmax_param": {"axis": 2}} if groups != 1 else {}
        made = self.add("softmax", "Softmax", [blob], axis)
        if (whole or groups != 1) and found:
            shape = [0, *found]
            made = self.add("back", "Reshape", [made], {"reshape_param": {"shape": {"dim": shape}}})
            self.extents[made] = found
        self.made.append(made)

    def activation(self) -> None:
        """Add an activation alone."""
        self.made.append(self.activated(self.last))

    def crop(self) -> None:
        """Take values from 0..1 to -1..1; the size was cut before."""
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
         "soft": "softmax", "Activation": "activation", "local_avg": "local_avgpool",
         "silence": "empty"}  # fmt: skip
READERS = {
    "convolutional": Reading.convolutional,
    "connected": Reading.connected,
    "batchnorm": Reading.batchnorm,
    "maxpool": Reading.maxpool,
    "local_avgpool": Reading.local_avgpool,
    "avgpool": Reading.avgpool,
    "route": Reading.route,
    "shortcut": Reading.shortcut,
    "sam": Reading.sam,
    "scale_channels": Reading.scale_channels,
    "upsample": Reading.upsample,
    "reorg": Reading.reorg,
    "reorg3d": Reading.reorg3d,
    "local": Reading.local,
    "empty": Reading.empty,
    "dropout": Reading.dropout,
    "softmax": Reading.softmax,
    "activation": Reading.activation,
    "crop": Reading.crop,
    **darknet_recurrent.READERS,
}


def _stem(path: str) -> str:
    stem = path.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in stem) or "net"
