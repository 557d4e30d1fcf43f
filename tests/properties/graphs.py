"""Random nets that are valid by construction, and what must be true of them.

No shape code is shared with the product: every operation draws its params inside the interval
that the extents before it allow, and works the extents of its tops out by its own means; windows
are counted one by one. Of a layer type only its name and the names of its fields are used.
"""

from __future__ import annotations

import json
from math import prod

FILLERS = ("constant", "uniform", "gaussian", "positive_unitball", "xavier", "msra")
LARGEST = 6000  # elements of a blob
SMALL = (1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9)
CHANNELS = (1, 2, 3, 4, 4, 6, 8, 12)


class Extent(int):
    """An extent that the twin of a net writes as a symbol; arithmetic makes it a plain int."""

    symbol = ""


class Blob:
    """A blob so far: its name, its extents as ints, its dtype."""

    def __init__(self, name, shape, dtype="float32"):
        self.name = name
        self.shape = tuple(shape)
        self.dtype = dtype
        self.read = 0

    @property
    def rank(self):
        return len(self.shape)

    @property
    def spatial(self):
        return self.shape[2:]


class Graph:
    """A net under construction: entries, inputs with the data they take, and expected blobs."""

    def __init__(self, draw, ops):
        self.draw = draw
        self.ops = ops
        self.symbols = {}
        self.inputs = []  # (blob, kind of data, limit)
        self.entries = []
        self.blobs = {}  # by name: what each ends up as
        self.open = []  # blobs that layers may read
        self.types = []
        self.sources = []
        self.overhangs = False  # is a window of a convolution larger than what it slides over
        self.repeats = False  # are extents of 1 repeated

    # drawing

    def one(self, *values):
        return self.draw.choice(values)

    def chance(self, share):
        return self.draw.random() < share

    def between(self, low, high):
        """Return an integer from low to high, more often one at the ends."""
        if high <= low:
            return low
        return self.draw.choice((low, high, self.draw.randint(low, high)))

    def axis(self, name):
        """Return an extent with a symbol: one in use, or a new one."""
        known = [key for key in self.symbols if key.rstrip("0123456789") == name]
        if known and self.chance(0.8):
            symbol = self.draw.choice(known)
        else:
            symbol = f"{name}{len(known)}" if known else name
            self.symbols[symbol] = self.draw.choice((1, 2, 2, 3) if name == "N" else SMALL)
        extent = Extent(self.symbols[symbol])
        extent.symbol = symbol
        return extent

    def shape(self, rank):
        """Return extents for a new input of a rank: batch, channels, space."""
        three = self.one("N.W", "N.W", "NT.")
        names = {1: "N", 2: "N.", 3: three, 4: "N.HW", 5: "N.DHW"}.get(rank, "")
        return [self.draw.choice(CHANNELS) if n == "." else self.axis(n) for n in names]

    # building

    def name(self, stem="b"):
        return f"{stem}{len(self.blobs)}"

    def fresh(self, shape, data="normal", limit=0, dtype="float32"):
        """Return a new input; `data` says what it holds."""
        blob = Blob(self.name("x"), shape, dtype)
        self.blobs[blob.name] = blob
        self.inputs.append((blob, data, limit))
        if dtype == "float32" and self.chance(0.1):
            self.sources.append(blob)
        return blob

    def take(self, ranks, dtype="float32", fits=None):
        """Return a blob that may be read: one there is, or a new input."""
        found = [
            blob
            for blob in self.open
            if blob.dtype == dtype and blob.rank in ranks and (fits is None or fits(blob))
        ]
        if found and not self.chance(0.05):
            return self.draw.choice(found[-4:])
        blob = self.fresh(self.shape(self.draw.choice(list(ranks))))
        self.open.append(blob)
        return blob

    def twin(self, blob, shape=None, data="normal", limit=0):
        """Return a blob of a shape: one there is, or a new input."""
        wanted = tuple(blob.shape if shape is None else shape)
        found = [b for b in self.open if b.shape == wanted and b.dtype == "float32"]
        if found and data == "normal" and self.chance(0.6):
            return self.draw.choice(found)
        return self.fresh(wanted, data, limit)

    def labels(self, shape, classes):
        dtype = self.one("float32", "float32", "int64")
        return self.fresh(shape, "index", classes, dtype)

    def add(self, kind, bottoms, *shapes, dtypes=(), in_place=False, **messages):
        """Add a layer; the tops have these shapes. False where one would be too large."""
        if any(prod(shape) > LARGEST or min(shape, default=1) < 1 for shape in shapes):
            return False
        first = bottoms[0] if bottoms else None
        same = in_place and first in self.open and not first.read and self.chance(0.15)
        tops = []
        for index, shape in enumerate(shapes):
            dtype = dtypes[index] if index < len(dtypes) else "float32"
            top = Blob(first.name if same else self.name(), shape, dtype)
            self.blobs[top.name] = top
            tops.append(top)
        if same:
            self.open.remove(first)
        for blob in bottoms:
            blob.read += 1
        entry = {"name": f"l{len(self.entries)}", "type": kind}
        if bottoms:
            entry["bottom"] = [blob.name for blob in bottoms]
        if tops:
            entry["top"] = [blob.name for blob in tops]
        entry |= {key: value for key, value in messages.items() if value}
        self.entries.append(entry)
        self.types.append(kind)
        self.open += tops
        return True

    # text

    def text(self, sizes=None):
        """Return the spec as YAML; its symbols written as such, or as the numbers in `sizes`."""
        lines = ["name: random", "inputs:"]

        def extents(blob):
            return [
                e if not isinstance(e, Extent) else e.symbol if sizes is None else sizes[e.symbol]
                for e in blob.shape
            ]

        for blob, _, _ in self.inputs:
            if blob not in self.sources:
                shape = json.dumps(extents(blob))
                if blob.dtype == "float32":
                    lines.append(f"  {blob.name}: {shape}")
                else:
                    lines.append(f"  {blob.name}: {{shape: {shape}, dtype: {blob.dtype}}}")
        if lines[-1] == "inputs:":
            lines.pop()
        lines.append("layers:")
        for blob in self.sources:
            lines.append(f"- {{name: in_{blob.name}, type: Input, top: {blob.name},")
            lines.append(f"   input_param: {{shape: {{dim: {json.dumps(extents(blob))}}}}}}}")
        for entry in self.entries:
            for index, (key, value) in enumerate(entry.items()):
                lines.append(f"{'  ' if index else '- '}{key}: {json.dumps(value)}")
        return "\n".join(lines) + "\n"

    def sizes(self):
        return dict(self.symbols)


def windows(extent, kernel, stride, before=0, after=0, dilation=1):
    """Count the windows of a convolution by sliding one over the padded extent."""
    reach = dilation * (kernel - 1) + 1
    padded = before + extent + after
    count = sum(start + reach <= padded for start in range(0, padded, stride))
    # C++ cuts a negative quotient towards zero: a window that all but fits counts once
    return count or int(reach - padded < stride)


def pooled(extent, kernel, stride, before=0, after=0, padded=None):
    """Count Caffe's pooling windows: the last hangs over, unless it starts past the input."""
    count = 1
    total = before + extent + after
    if kernel - total >= stride:
        return 0
    while (count - 1) * stride + kernel < total:
        count += 1
    clips = (before or after) if padded is None else padded
    if clips and (count - 1) * stride >= extent + before:
        count -= 1
    return count


def divisors(number):
    return [k for k in range(1, number + 1) if number % k == 0]


OPS = {}


def op(*kinds):
    def register(make):
        for kind in kinds:
            OPS[kind] = lambda g, kind=kind: make(g, kind)
        return make

    return register


def filler(g):
    kind = g.draw.choice(FILLERS)
    extra = {
        "constant": {"value": 0.5}, "uniform": {"min": -1, "max": 0.25},
        "gaussian": {"mean": 0.1, "std": 0.01},
        "xavier": {"variance_norm": g.one("FAN_IN", "FAN_OUT", "AVERAGE")},
    }.get(kind, {})  # fmt: skip
    if kind == "gaussian" and g.chance(0.3):
        extra = {"std": 1, "sparse": 1}
    return {"type": kind} | extra


def some(g, share=0.5, **params):
    """Return each param with a chance; the value of one may be a function that draws it."""
    found = {}
    for name, value in params.items():
        if g.chance(share):
            found[name] = value() if callable(value) else value
    return found


def number(g):
    return g.one(0, 1, -1, 0.5, -0.3, 2.0, 1e-3, 3)


# element by element


PLAIN = {
    "AbsVal": {}, "BNLL": {}, "HardSwish": {}, "Mish": {}, "ReLU6": {}, "SiLU": {},
    "Sigmoid": {"engine": ["CAFFE"]}, "Softsign": {}, "TanH": {"engine": ["CAFFE"]},
    "ELU": {"alpha": [0.5, 0, -1, 2]}, "GELU": {"approximate": ["none", "tanh"]},
    "HardSigmoid": {"alpha": [0.2, -1], "beta": [0, 1]},
    "Power": {"power": [0, 1, 2, 0.5, -1], "scale": [0, 2, -1], "shift": [0, 1, -0.5]},
    "Exp": {"base": [-1, 2, 10, 1, 0.5], "scale": [0, 0.1, -1], "shift": [0, 1]},
    "Log": {"base": [-1, 2, 10, 0.5], "scale": [0, 0.1, -1], "shift": [1, 2]},
    "ReLU": {"negative_slope": [0, 0.1, 1, -1]}, "Softplus": {"beta": [0.1, 1, 20]},
    "Swish": {"beta": [0, 1, -1, 2.5]}, "Threshold": {"threshold": [0, 0.5, -1]},
    "Dropout": {"dropout_ratio": [0, 0.1, 0.5, 1], "scale_train": [True, False]},
}  # fmt: skip
KEYS = {"ReLU": "relu_param", "ELU": "elu_param", "GELU": "gelu_param", "TanH": "tanh_param"}
IN_PLACE = {"AbsVal": False}


def snake(kind):
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(kind))


@op(*PLAIN)
def plain(g, kind):
    x = g.take(range(1, 6))
    params = some(g, **{name: g.draw.choice(values) for name, values in PLAIN[kind].items()})
    key = KEYS.get(kind, f"{snake(kind)}_param")
    return g.add(kind, [x], x.shape, in_place=IN_PLACE.get(kind, True), **{key: params})


@op("StochasticDepth")
def stochastic_depth(g, kind):
    x = g.take(range(1, 6))
    params = some(g, drop_ratio=g.one(0, 0.3, 1), mode=g.one("row", "batch"))
    return g.add(kind, [x], x.shape, in_place=True, stochastic_depth_param=params)


@op("Clip")
def clip(g, kind):
    x = g.take(range(1, 6))
    low = number(g)
    params = g.one({}, {"min": low, "max": low + g.one(0, 1, 5)}, {"min": 1, "max": -1})
    return g.add(kind, [x], x.shape, in_place=True, clip_param=params)


@op("PReLU")
def prelu(g, kind):
    x = g.take((2, 3, 4))
    params = some(g, channel_shared=g.one(True, False), filler=lambda: filler_of_one(g))
    return g.add(kind, [x], x.shape, in_place=True, prelu_param=params)


def filler_of_one(g):
    """Return a filler that does not need two axes."""
    return g.one(
        {"type": "constant", "value": 0.25}, {"type": "uniform", "min": -1, "max": 1},
        {"type": "gaussian", "std": 0.1},
    )  # fmt: skip


def axis_of(g, x, low=0):
    """Return an axis from 0, and how the spec may write it."""
    axis = g.draw.randint(low, x.rank - 1)
    return axis, g.one(axis, axis - x.rank)


@op("Softmax", "LogSoftmax")
def softmax(g, kind):
    x = g.take(range(1, 6))
    _, written = axis_of(g, x)
    params = {} if x.rank > 1 and g.chance(0.3) else {"axis": written}
    return g.add(kind, [x], x.shape, in_place=True, **{f"{snake(kind)}_param": params})


@op("GLU", "Maxout")
def halves(g, kind):
    pieces = 2 if kind == "GLU" else g.one(1, 2, 3)
    x = g.take(range(1, 6), fits=lambda b: any(e % pieces == 0 for e in b.shape))
    axes = [a for a in range(x.rank) if x.shape[a] % pieces == 0]
    if not axes:
        return False
    axis = g.draw.choice(axes)
    params = {"axis": g.one(axis, axis - x.rank)} | ({"pieces": pieces} if kind == "Maxout" else {})
    if kind == "Maxout" and pieces == 2 and g.chance(0.5):
        del params["pieces"]
    top = resized(x.shape, axis, x.shape[axis] // pieces)
    return g.add(kind, [x], top, **{"glu_param" if kind == "GLU" else "maxout_param": params})


def resized(shape, axis, extent):
    return (*shape[:axis], extent, *shape[axis + 1 :])


# normalisation


@op("BatchNorm")
def batch_norm(g, kind):
    x = g.take(range(2, 6))
    params = some(
        g, 0.3, use_global_stats=g.one(True, False), moving_average_fraction=g.one(0, 0.5, 1),
        eps=g.one(0, 1e-3), scale_bias=True,
    )  # fmt: skip
    if "scale_bias" in params:
        params |= some(g, 0.3, scale_filler=filler_of_one(g), bias_filler=filler_of_one(g))
    extra = {}
    if g.chance(0.2):
        extra["param"] = [{"lr_mult": 0}] * 3
    return g.add(kind, [x], x.shape, in_place=True, batch_norm_param=params, **extra)


@op("BN")
def bn(g, kind):
    x = g.take(range(2, 6))
    params = some(
        g, 0.3, momentum=g.one(0, 0.5, 1), eps=g.one(0, 1e-3), frozen=g.one(True, False),
        bn_mode=g.one("LEARN", "INFERENCE"), slope_filler=filler_of_one(g),
        bias_filler=filler_of_one(g),
    )  # fmt: skip
    return g.add(kind, [x], x.shape, in_place=True, bn_param=params)


@op("ConditionalBatchNorm")
def conditional_batch_norm(g, kind):
    x = g.take(range(2, 6))
    classes = g.one(1, 3)
    params = {"num_classes": classes} | some(g, 0.3, eps=1e-3, moving_average_fraction=0.5)
    bottoms = [x, g.labels(x.shape[:1], classes)]
    return g.add(kind, bottoms, x.shape, conditional_batch_norm_param=params)


@op("GroupNorm")
def group_norm(g, kind):
    x = g.take(range(2, 6))
    params = {"num_groups": g.draw.choice(divisors(x.shape[1]))} | some(g, affine=False, eps=1e-3)
    return g.add(kind, [x], x.shape, in_place=True, group_norm_param=params)


@op("InstanceNorm")
def instance_norm(g, kind):
    x = g.take((3, 4, 5))
    params = some(g, affine=g.one(True, False), eps=1e-3)
    return g.add(kind, [x], x.shape, in_place=True, instance_norm_param=params)


@op("LayerNorm", "RMSNorm")
def layer_norm(g, kind):
    x = g.take(range(1, 6))
    axis, written = axis_of(g, x)
    params = some(g, 0.4, affine=False, eps=1e-3)
    if kind == "LayerNorm" and g.chance(0.3):
        params["bias_term"] = False
    if g.chance(0.7):
        params["axis"] = written
        if g.chance(0.6):
            params["num_axes"] = g.one(-1, g.draw.randint(1, x.rank - axis))
    key = "layer_norm_param" if kind == "LayerNorm" else "rms_norm_param"
    return g.add(kind, [x], x.shape, in_place=True, **{key: params})


@op("LRN")
def lrn(g, kind):
    x = g.take((4,))
    params = some(
        g, local_size=g.one(1, 3, 5, 7, 11), alpha=g.one(1e-4, 1), beta=g.one(0.5, 0.75, 1),
        norm_region=g.one("ACROSS_CHANNELS", "WITHIN_CHANNEL"), k=g.one(1, 2, 0.5),
    )  # fmt: skip
    return g.add(kind, [x], x.shape, in_place=True, lrn_param=params)


@op("MVN")
def mvn(g, kind):
    x = g.take(range(1, 5))
    params = some(g, normalize_variance=g.one(True, False), across_channels=g.one(True, False))
    return g.add(kind, [x], (*x.shape, *(1,) * (4 - x.rank)), mvn_param=params)


@op("Normalize")
def normalize(g, kind):
    x = g.take(range(2, 6))
    params = some(
        g, across_spatial=g.one(True, False), channel_shared=g.one(True, False),
        scale_filler={"type": "constant", "value": 20},
    )  # fmt: skip
    return g.add(kind, [x], x.shape, in_place=True, norm_param=params)


@op("PixelNorm")
def pixel_norm(g, kind):
    x = g.take(range(2, 6))
    return g.add(kind, [x], x.shape, in_place=True, pixel_norm_param=some(g, eps=1e-4))


@op("MinibatchStdDev")
def minibatch_std_dev(g, kind):
    x = g.take(range(2, 6))
    groups = [k for k in (1, 2, 3, 4, 7) if x.shape[0] % min(x.shape[0], k) == 0]
    if not groups:
        return False
    params = {"group_size": g.draw.choice(groups)}
    top = resized(x.shape, 1, x.shape[1] + 1)
    return g.add(kind, [x], top, minibatch_std_dev_param=params)


@op("Scale", "Bias")
def scale(g, kind):
    x = g.take(range(1, 6))
    axis, written = axis_of(g, x)
    key = "scale_param" if kind == "Scale" else "bias_param"
    bias = {"bias_term": True} if kind == "Scale" and g.chance(0.4) else {}
    params = bias | {"axis": written}
    if g.chance(0.4):
        count = g.draw.randint(0, x.rank - axis)
        second = g.twin(x, x.shape[axis : axis + count])
        if (count == 0 and kind == "Bias") or not count:
            params = bias
        return g.add(kind, [x, second], x.shape, **{key: params})
    if g.chance(0.6) or axis + 1 > x.rank:
        params["num_axes"] = g.one(-1, g.draw.randint(0, x.rank - axis))
    if g.chance(0.3):
        params["filler"] = filler_of_one(g)
    return g.add(kind, [x], x.shape, in_place=True, **{key: params})


# windows


def spatial_window(g, extents, convolution=True):
    """Return kernel, stride, before, after and dilation for each axis: all legal."""
    drawn = []
    for extent in extents:
        before = g.one(0, 0, 0, 1, 2, 3)
        after = before if g.chance(0.75) else g.one(0, 1, 2)
        padded = extent + before + after
        dilation = g.one(1, 1, 1, 2, 3)
        most = (padded - 1) // dilation + 1
        kernel = g.draw.choice(sorted({1, min(2, most), min(3, most), min(5, most), most}))
        stride = g.one(1, 1, 2, 3, kernel, kernel + 1, padded)
        if convolution and g.chance(0.05):
            kernel += 1  # past the end by less than the stride: C++ gives one window
            stride = max(stride, dilation + 1)
        drawn.append([kernel, stride, before, after, dilation])
    if g.chance(0.4) and len({tuple(w) for w in drawn}) > 1:
        # one window for all axes, as the smallest extent allows
        index = min(range(len(extents)), key=lambda i: extents[i])
        drawn = [list(drawn[index]) for _ in extents]
    return [tuple(column) for column in zip(*drawn, strict=True)] if drawn else [()] * 5


def compact(g, values):
    """Return a repeated field: once where all are equal and chance has it."""
    if values and len(set(values)) == 1 and g.chance(0.7):
        return values[0]
    return list(values)


def window_params(g, kernel, stride, before, after, dilation, pooling=False):
    """Return one of the ways to write a window."""
    axes = len(kernel)
    params = {}
    flat = axes == 2 and g.chance(0.3)
    if flat:
        params |= {"kernel_h": kernel[0], "kernel_w": kernel[1]}
    elif axes:
        params["kernel_size"] = compact(g, kernel)
    else:
        params["kernel_size"] = 1
    if pooling and axes == 3 and isinstance(params.get("kernel_size"), int):
        params["kernel_size"] = list(kernel)
    if set(stride) - {1} or g.chance(0.2):
        if axes == 2 and g.chance(0.3):
            params |= {"stride_h": stride[0], "stride_w": stride[1]}
        elif axes:
            params["stride"] = compact(g, stride)
    if before != after:
        if axes == 2 and g.chance(0.4):
            params |= {"pad_t": before[0], "pad_l": before[1]}
            params |= {"pad_b": after[0], "pad_r": after[1]}
        else:
            params |= {"pad_begin": compact(g, before), "pad_end": compact(g, after)}
    elif set(before) - {0}:
        if axes == 2 and g.chance(0.3):
            params |= {"pad_h": before[0], "pad_w": before[1]}
        else:
            params["pad"] = compact(g, before)
    if set(dilation) - {1}:
        params["dilation" if pooling or g.chance(0.7) else "hole"] = compact(g, dilation)
    return params


CONVOLUTIONS = {
    "Convolution": "convolution_param", "Deconvolution": "convolution_param",
    "DepthwiseConvolution": "convolution_param", "Im2col": "convolution_param",
    "SeparableConvolution": "separable_convolution_param",
    "LocallyConnected": "locally_connected_param",
}  # fmt: skip


@op(*CONVOLUTIONS)
def convolution(g, kind):
    x = g.take((3, 4, 4, 4, 5))
    channels, extents = x.shape[1], list(x.spatial)
    kernel, stride, before, after, dilation = spatial_window(g, extents, kind != "Deconvolution")
    params = window_params(g, kernel, stride, before, after, dilation)
    together = list(zip(extents, kernel, stride, before, after, dilation, strict=True))
    made = [windows(*each) for each in together]
    if kind != "Deconvolution":
        g.overhangs |= any(d * (k - 1) + 1 > e + b + a for e, k, _, b, a, d in together)
    if kind == "Convolution" and g.chance(0.1):
        params = {k: v for k, v in params.items() if "kernel" in k or "dilation" in k}
        params |= {"pad_type": "SAME"}
        if "hole" not in params and "dilation" not in params:
            dilation = (1,) * len(extents)
        made = extents
        if x.rank == 3 and g.chance(0.5):
            params["pad_type"] = "CAUSAL"
    extra = {}
    outputs = g.draw.choice(CHANNELS)
    group = 1
    if kind in ("Convolution", "Deconvolution"):
        group = g.draw.choice(divisors(channels))
        outputs = group * g.one(1, 2, 3)
        if group > 1 or g.chance(0.1):
            params["group"] = group
    if kind == "Deconvolution":
        spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
        extra_pad = [0] * len(extents)
        if g.chance(0.4):
            extra_pad = [g.between(0, max(s, d) - 1) for s, d in zip(stride, dilation, strict=True)]
            params["output_padding"] = compact(g, extra_pad)
        made = [
            (e - 1) * s + span - b - a + o
            for e, s, span, b, a, o in zip(
                extents, stride, spans, before, after, extra_pad, strict=True
            )
        ]
    if kind == "DepthwiseConvolution":
        times = g.one(1, 1, 2, 3)
        outputs = times * channels
        params |= g.one({"num_output": outputs}, {"depth_multiplier": times}, {"group": channels})
        if "group" in params:
            outputs = channels
    elif kind == "Im2col":
        outputs = channels * prod(kernel)
    else:
        params["num_output"] = outputs
    if kind == "SeparableConvolution" and g.chance(0.5):
        params["depth_multiplier"] = g.one(1, 2)
    if kind != "Im2col":
        params |= some(g, 0.2, bias_term=g.one(True, False), weight_filler=filler(g))
        if kind in ("Convolution", "Deconvolution", "DepthwiseConvolution"):
            params |= g.one({}, {}, {}, {"spectral_norm": True}, {"equalized_lr": True})
        if g.chance(0.1):
            extra["param"] = [{"lr_mult": g.one(0, 1, 2), "decay_mult": g.one(0, 1)}]
    if params.get("bias_term") is not False and kind == "Convolution" and g.chance(0.1):
        params["bias_filler"] = {"type": "constant", "value": 0.1}
    bottoms = [x]
    if kind == "Convolution" and g.chance(0.1):
        bottoms.append(g.twin(x))  # several bottoms share the weights
    top = (x.shape[0], outputs, *made)
    return g.add(kind, bottoms, *[top] * len(bottoms), **{CONVOLUTIONS[kind]: params}, **extra)


@op("Pooling")
def pooling(g, kind):
    x = g.take((3, 4, 4, 4, 5))
    extents = list(x.spatial)
    pool = g.one("MAX", "MAX", "AVE", "AVE", "STOCHASTIC", "AVE_EXC_PAD", "L2")
    params = {} if pool == "MAX" and g.chance(0.5) else {"pool": pool}
    way = g.draw.random() if pool in ("MAX", "AVE") else 1
    if way < 0.1:
        made = [1] * len(extents)
        params["global_pooling"] = True
    elif way < 0.25:
        made = [g.between(1, g.one(e, e + 2)) for e in extents]
        params["output_size"] = made = list(made)
    else:
        drawn = []
        for extent in extents:
            kernel = g.one(1, 2, 2, 3, 3, 5, extent, extent + 1)
            dilation = 1 if g.chance(0.85) else 2
            reach = dilation * (kernel - 1) + 1
            before = after = 0
            if pool != "STOCHASTIC":
                before = g.one(0, 0, g.between(0, reach - 1))
                after = before if g.chance(0.8) else g.between(0, reach - 1)
            stride = g.one(1, 2, 2, 3, kernel, kernel + 1, kernel + 3)
            drawn.append((kernel, stride, before, after, dilation))
        kernel, stride, before, after, dilation = (list(c) for c in zip(*drawn, strict=True))
        up = g.chance(0.7)
        if not up:
            params |= g.one({"round_mode": "FLOOR"}, {"ceil_mode": False})
        reaches = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
        some_pad = any(before) or any(after)
        made = [
            pooled(e, r, s, b, a, some_pad)
            if up
            else sum(i + r <= e + b + a for i in range(0, e + b + a, s))
            for e, r, s, b, a in zip(extents, reaches, stride, before, after, strict=True)
        ]
        if min(made) < 1:
            return False
        params |= window_params(
            g, tuple(kernel), tuple(stride), tuple(before), tuple(after), tuple(dilation), True
        )
        if pool == "AVE" and g.chance(0.2):
            params["count_include_pad"] = False
    top = (*x.shape[:2], *made)
    two = pool == "MAX" and "output_size" not in params and g.chance(0.2)
    return g.add(kind, [x], *[top] * (1 + two), pooling_param=params)


@op("SPP")
def spp(g, kind):
    x = g.take((4,))
    height = 1
    for level in range(1, 4):
        kernels = [-(-e // 2**level) for e in x.spatial]
        pads = [(k * 2**level - e + 1) // 2 for k, e in zip(kernels, x.spatial, strict=True)]
        if any(p >= k for p, k in zip(pads, kernels, strict=True)):
            break
        height = g.one(height, level + 1)
    params = {"pyramid_height": height, "pool": g.one("MAX", "AVE")}
    n, c = x.shape[:2]
    top = (n, c, 1, 1) if height == 1 else (n, c * sum(4**level for level in range(height)))
    return g.add(kind, [x], top, spp_param=params)


@op("ROIPooling", "ROIAlign", "PSROIPooling")
def regions(g, kind):
    x = g.take((4,))
    count = g.one(1, 2, 5)
    shape = g.one((count, 5), (count, 5), (count, 5, 1, 1))
    rois = g.fresh(shape, "rois", x.shape[0])
    scale = g.one(1, 0.5, 0.0625, 2)
    if kind == "PSROIPooling":
        sides = [k for k in (1, 2, 3) if x.shape[1] % (k * k) == 0]
        side = g.draw.choice(sides)
        outputs = x.shape[1] // (side * side)
        params = {"spatial_scale": scale, "output_dim": outputs, "group_size": side}
        return g.add(kind, [x, rois], (count, outputs, side, side), psroi_pooling_param=params)
    h, w = g.one(1, 2, 3, 7), g.one(1, 2, 4)
    params = {"pooled_h": h, "pooled_w": w} | some(g, spatial_scale=scale)
    if kind == "ROIAlign":
        params |= some(g, sampling_ratio=g.one(0, 1, 2), aligned=True)
    key = "roi_pooling_param" if kind == "ROIPooling" else "roi_align_param"
    return g.add(kind, [x, rois], (count, x.shape[1], h, w), **{key: params})


@op("Unpooling")
def unpooling(g, kind):
    x = g.take((3, 4, 4, 5))
    axes = x.rank - 2
    if g.chance(0.3):
        made = [e + g.one(0, 1, 3) for e in x.spatial]
        params = {"unpool_size": made}
        if axes == 2 and g.chance(0.5):
            params = {"unpool_h": made[0], "unpool_w": made[1]}
    else:
        kernel, stride = ([g.one(1, 2, 3) for _ in range(axes)] for _ in range(2))
        pad = [g.between(0, (k - 1) // 2) for k in kernel]
        made = [
            s * (e - 1) + k - 2 * p
            for e, k, s, p in zip(x.spatial, kernel, stride, pad, strict=True)
        ]
        params = {"kernel_size": kernel, "stride": stride, "pad": pad}
    if min(made) < 1:
        return False
    mask = g.fresh(x.shape, "index", prod(made))
    return g.add(kind, [x, mask], (*x.shape[:2], *made), unpooling_param=params)


@op("Upsample")
def upsample(g, kind):
    x = g.take((3, 4, 4, 5))
    axes = x.rank - 2
    masked = g.chance(0.3)
    params = {}
    if g.chance(0.5):
        factors = [g.one(1, 2, 3) for _ in range(axes)]
        made = [e * f for e, f in zip(x.spatial, factors, strict=True)]
        params = {"scale": compact(g, tuple(factors))}
        if axes == 2 and g.chance(0.3):
            params = {"scale_h": factors[0], "scale_w": factors[1]}
        if masked and axes == 2 and g.chance(0.4):
            params["pad_out_h"] = True
            made[0] -= 1
    else:
        made = [g.between(1, 2 * e + 1) for e in x.spatial]
        if masked:
            made = [e + g.one(0, 1, 4) for e in x.spatial]
        params = {"size": compact(g, tuple(made))}
        if axes == 2 and g.chance(0.3):
            params = {"upsample_h": made[0], "upsample_w": made[1]}
    if min(made) < 1:
        return False
    bottoms = [x]
    if masked:
        bottoms.append(g.fresh(x.shape, "index", prod(made)))
    else:
        mode = g.one("NEAREST", "BILINEAR", "BICUBIC" if axes == 2 else "BILINEAR")
        params |= {} if mode == "NEAREST" and g.chance(0.5) else {"mode": mode}
        if mode != "NEAREST" and g.chance(0.4):
            params["align_corners"] = True
    return g.add(kind, bottoms, (*x.shape[:2], *made), upsample_param=params)


@op("Interp")
def interp(g, kind):
    x = g.take((4,))
    cut = g.one(0, 0, 1) if min(x.spatial) > 2 else 0
    end = g.one(0, 0, 1) if min(x.spatial) > 3 else 0
    params = {"pad_beg": -cut, "pad_end": -end} if cut or end else {}
    extents = [e - cut - end for e in x.spatial]
    if g.chance(0.4):
        made = [g.one(1, 2, 5, 9), g.one(1, 3, 8)]
        params |= {"height": made[0], "width": made[1]}
    else:
        shrink, zoom = g.one(1, 2, 3), g.one(1, 2, 3)
        made = []
        for extent in extents:
            kept = len(range(0, extent, shrink))  # every shrink-th, the first one too
            made.append(kept + (kept - 1) * (zoom - 1))
        params |= g.one(
            {"shrink_factor": shrink, "zoom_factor": zoom},
        )
    return g.add(kind, [x], (*x.shape[:2], *made), interp_param=params)


# shape


@op("Pad")
def pad(g, kind):
    x = g.take((3, 4, 4, 5))
    mode = g.one("CONSTANT", "REFLECT", "REPLICATE", "CIRCULAR")
    most = {"REFLECT": -1, "CIRCULAR": 0}.get(mode)

    def border(extent):
        return g.between(0, 3 if most is None else min(3, extent + most))

    before = tuple(border(e) for e in x.spatial)
    after = before if g.chance(0.5) else tuple(border(e) for e in x.spatial)
    params = window_params(g, before, (1,) * len(before), before, after, (1,) * len(before))
    params = {key: value for key, value in params.items() if key.startswith("pad")}
    if mode != "CONSTANT" or g.chance(0.5):
        params["mode"] = mode
    if mode == "CONSTANT" and g.chance(0.3):
        params["value"] = number(g)
    made = [b + e + a for b, e, a in zip(before, x.spatial, after, strict=True)]
    return g.add(kind, [x], (*x.shape[:2], *made), pad_param=params)


@op("ChannelPad")
def channel_pad(g, kind):
    x = g.take(range(2, 6))
    first, last = g.one(0, 1, 3), g.one(0, 2)
    params = g.one({"num_output": x.shape[1] + last}, {"pad_begin": first, "pad_end": last})
    made = x.shape[1] + last + (first if "pad_begin" in params else 0)
    return g.add(kind, [x], resized(x.shape, 1, made), channel_pad_param=params)


@op("Crop")
def crop(g, kind):
    x = g.take(range(2, 6))
    axis, written = axis_of(g, x)
    kept = [g.between(1, e) for e in x.shape[axis:]]
    offsets = [g.between(0, e - k) for e, k in zip(x.shape[axis:], kept, strict=True)]
    like = g.twin(x, (*x.shape[:axis], *kept))
    params = {"axis": written, "offset": compact(g, tuple(offsets))}
    if not any(offsets) and g.chance(0.5):
        del params["offset"]
    return g.add(kind, [x, like], (*x.shape[:axis], *kept), crop_param=params)


@op("PixelShuffle")
def pixel_shuffle(g, kind):
    x = g.take((4,))
    factor = g.draw.choice([k for k in (1, 2, 3) if x.shape[1] % (k * k) == 0])
    n, c, h, w = x.shape
    top = (n, c // factor**2, h * factor, w * factor)
    return g.add(kind, [x], top, pixel_shuffle_param={"upscale_factor": factor})


@op("PixelUnshuffle", "Reorg")
def pixel_unshuffle(g, kind):
    x = g.take((4,))
    n, c, h, w = x.shape
    if kind == "Reorg" and g.chance(0.3):
        factor = g.draw.choice([k for k in (1, 2, 3) if c % (k * k) == 0])
        params = {"stride": factor, "reverse": True}
        return g.add(kind, [x], (n, c // factor**2, h * factor, w * factor), reorg_param=params)
    fits = [
        k
        for k in (1, 2, 3, 4)
        if h % k == 0 and w % k == 0 and (kind != "Reorg" or c % (k * k) == 0)
    ]
    factor = g.draw.choice(fits)
    top = (n, c * factor**2, h // factor, w // factor)
    if kind == "Reorg":
        return g.add(kind, [x], top, reorg_param={"stride": factor})
    return g.add(kind, [x], top, pixel_unshuffle_param={"downscale_factor": factor})


@op("ShuffleChannel")
def shuffle_channel(g, kind):
    x = g.take(range(2, 6))
    params = {"group": g.draw.choice(divisors(x.shape[1]))}
    return g.add(kind, [x], x.shape, shuffle_channel_param=params)


# structure


@op("Concat")
def concat(g, kind):
    x = g.take(range(1, 6))
    axis, written = axis_of(g, x)
    bottoms = [x]
    for _ in range(g.one(0, 1, 1, 2)):
        bottoms.append(g.twin(x, resized(x.shape, axis, g.one(x.shape[axis], 1, 3))))
    params = g.one({"axis": written}, {"concat_dim": axis})
    top = resized(x.shape, axis, sum(b.shape[axis] for b in bottoms))
    return g.add(kind, bottoms, top, concat_param=params)


@op("Eltwise")
def eltwise(g, kind):
    x = g.take(range(1, 6))
    operation = g.one("PROD", "SUM", "MAX")
    params = {"operation": operation} if g.chance(0.7) or operation != "SUM" else {}
    bottoms = [x] + [g.twin(x) for _ in range(g.one(1, 1, 2))]
    top = x.shape
    if g.chance(0.25):
        params["broadcast"] = True
        g.repeats = True
        bottoms = [x] + [g.fresh([g.one(e, 1) for e in x.shape]) for _ in bottoms[1:]]
    if operation == "SUM" and g.chance(0.4):
        params["coeff"] = [number(g) for _ in bottoms]
    if operation == "PROD" and g.chance(0.3):
        params["stable_prod_grad"] = False
    return g.add(kind, bottoms, top, eltwise_param=params)


@op("Axpy")
def axpy(g, kind):
    x = g.take(range(2, 6))
    factor = g.fresh((*x.shape[:2], *(1,) * g.one(0, x.rank - 2)))
    return g.add(kind, [factor, x, g.twin(x)], x.shape)


@op("MatMul")
def matmul(g, kind):
    a = g.take(range(2, 5))
    other = g.one(1, 2, 5)
    params = some(g, transpose_a=True, transpose_b=True, scale=number(g))
    rows, inner = a.shape[-2:] if "transpose_a" not in params else a.shape[:-3:-1]
    matrix = (other, inner) if "transpose_b" in params else (inner, other)
    b = g.twin(a, (*a.shape[:-2], *matrix))
    return g.add(kind, [a, b], (*a.shape[:-2], rows, other), mat_mul_param=params)


@op("ArgMax")
def arg_max(g, kind):
    x = g.take(range(1, 6))
    params = some(g, out_max_val=True)
    if g.chance(0.5):
        axis, params["axis"] = axis_of(g, x)
        params["top_k"] = top_k = g.between(1, x.shape[axis])
        return g.add(kind, [x], resized(x.shape, axis, top_k), argmax_param=params)
    top_k = g.between(1, prod(x.shape[1:]))
    if top_k > 1:
        params["top_k"] = top_k
    shape = (x.shape[0], 1 + ("out_max_val" in params), top_k, *(1,) * max(0, x.rank - 3))
    return g.add(kind, [x], shape, argmax_param=params)


@op("BatchReindex")
def batch_reindex(g, kind):
    x = g.take(range(1, 6))
    count = g.one(1, 2, 5)
    index = g.labels((count,), x.shape[0])
    return g.add(kind, [x, index], (count, *x.shape[1:]))


@op("BroadcastSpatial")
def broadcast_spatial(g, kind):
    rank = g.one(2, 3, 4, 5)
    x = g.fresh([g.axis("N"), g.draw.choice(CHANNELS), *(1,) * g.one(0, 1, rank - 2)])
    if g.chance(0.5):
        like = g.take(range(2, 6), fits=lambda b: b.shape[0] == x.shape[0])
        if like.shape[0] != x.shape[0]:
            return False
        return g.add(kind, [x, like], (*x.shape[:2], *like.spatial))
    size = [g.one(1, 2, 5) for _ in range(rank - 2)]
    written = g.one({"dim": size}, size)
    return g.add(kind, [x], (*x.shape[:2], *size), broadcast_spatial_param={"size": written})


@op("Filter")
def keep(g, kind):
    x = g.take(range(1, 6))
    others = [g.fresh((x.shape[0], *(2,) * g.one(0, 1)))] if g.chance(0.3) else []
    selectors = g.fresh((x.shape[0], *(1,) * g.one(0, 0, 3)), "ones")
    bottoms = [x, *others]
    return g.add(kind, [*bottoms, selectors], *[b.shape for b in bottoms])


@op("Flatten")
def flatten(g, kind):
    x = g.take(range(1, 6))
    first, written = axis_of(g, x)
    last = g.draw.randint(first, x.rank - 1)
    params = {"axis": written, "end_axis": g.one(last, last - x.rank)}
    if last == x.rank - 1 and g.chance(0.5):
        del params["end_axis"]
    top = (*x.shape[:first], prod(x.shape[first : last + 1]), *x.shape[last + 1 :])
    return g.add(kind, [x], top, flatten_param=params)


@op("GramMatrix")
def gram_matrix(g, kind):
    x = g.take(range(2, 6))
    params = {"normalize": g.one("NONE", "SPATIAL", "FULL")}
    return g.add(kind, [x], (*x.shape[:2], x.shape[1]), gram_matrix_param=params)


@op("Permute")
def permute(g, kind):
    x = g.take(range(1, 6))
    order = list(range(x.rank))
    g.draw.shuffle(order)
    given = order[: g.between(0, x.rank)]
    full = given + [axis for axis in range(x.rank) if axis not in given]
    return g.add(kind, [x], [x.shape[axis] for axis in full], permute_param={"order": given})


@op("Reduction")
def reduction(g, kind):
    x = g.take(range(1, 6))
    axis, written = axis_of(g, x)
    params = {"axis": written} | some(
        g, operation=g.one("SUM", "ASUM", "SUMSQ", "MEAN"), coeff=number(g)
    )
    return g.add(kind, [x], x.shape[:axis], reduction_param=params)


@op("Reshape")
def reshape(g, kind):
    x = g.take(range(1, 6))
    start = g.draw.randint(0, x.rank)
    end = g.draw.randint(start, x.rank)
    left = prod(x.shape[start:end])
    middle = []
    rest = left
    for _ in range(g.one(0, 1, 2, 3)):
        part = g.draw.choice(divisors(rest))
        middle.append(part)
        rest //= part
    if rest > 1 or (not middle and end > start and g.chance(0.5)):
        middle.append(rest)
    dims = list(middle)
    for place, extent in enumerate(middle):
        if start + place < x.rank and x.shape[start + place] == extent and g.chance(0.5):
            dims[place] = 0
    written = [place for place, dim in enumerate(dims) if dim]
    if written and g.chance(0.5):
        dims[g.draw.choice(written)] = -1
    params = {"shape": g.one({"dim": dims}, dims), "axis": g.one(start, start - x.rank - 1)}
    params["num_axes"] = g.one(end - start, -1) if end == x.rank else end - start
    top = (*x.shape[:start], *middle, *x.shape[end:])
    return g.add(kind, [x], top, reshape_param=params)


@op("Silence")
def silence(g, kind):
    return g.add(kind, [g.take(range(1, 6)) for _ in range(g.one(1, 2))])


@op("Slice")
def cut(g, kind):
    x = g.take(range(1, 6))
    axis, written = axis_of(g, x)
    extent = x.shape[axis]
    params = g.one({"axis": written}, {"slice_dim": axis})
    if g.chance(0.5) and extent > 1:
        points = sorted(g.draw.sample(range(1, extent), g.draw.randint(1, min(3, extent - 1))))
        params["slice_point"] = points
        ends = [*points, extent]
        parts = [e - s for s, e in zip([0, *points], ends, strict=True)]
    else:
        count = g.draw.choice(divisors(extent)[:3])
        parts = [extent // count] * count
    return g.add(kind, [x], *[resized(x.shape, axis, p) for p in parts], slice_param=params)


@op("Split")
def split(g, kind):
    x = g.take(range(1, 6))
    return g.add(kind, [x], *[x.shape] * g.one(1, 2, 3))


@op("Tile")
def tile(g, kind):
    x = g.take(range(1, 6))
    axis, written = axis_of(g, x)
    tiles = g.one(1, 2, 3)
    top = resized(x.shape, axis, x.shape[axis] * tiles)
    return g.add(kind, [x], top, tile_param={"axis": written, "tiles": tiles})


@op("DummyData")
def dummy_data(g, kind):
    shapes = [[g.one(1, 2, 3) for _ in range(g.one(1, 2, 4))] for _ in range(g.one(1, 1, 2))]
    params = {"shape": [{"dim": shape} for shape in shapes]} | some(g, data_filler=filler_of_one(g))
    if len(shapes) == 1 and g.chance(0.4):
        shapes = [[2, 1, 3, 4]]
        params = {"num": 2, "channels": 1, "height": 3, "width": 4}
    return g.add(kind, [], *shapes, dummy_data_param=params)


@op("Parameter")
def parameter(g, kind):
    shape = [g.one(1, 2, 3) for _ in range(g.one(0, 1, 2, 4))]
    return g.add(kind, [], shape, parameter_param={"shape": {"dim": shape}} if shape else {})


@op("NoiseFill")
def noise_fill(g, kind):
    x = g.take(range(2, 6))
    more = g.one(1, 1, 3)
    params = some(g, distribution=g.one("uniform", "gaussian"))
    if more > 1:
        params["num_channels"] = more
    return g.add(kind, [x], resized(x.shape, 1, x.shape[1] + more), noise_fill_param=params)


@op("GaussianSample")
def gaussian_sample(g, kind):
    x = g.take(range(1, 6))
    return g.add(kind, [x, g.twin(x)], x.shape)


# dense and recurrent


@op("InnerProduct")
def inner_product(g, kind):
    x = g.take(range(1, 6))
    axis, written = axis_of(g, x)
    outputs = g.draw.choice(CHANNELS)
    params = {"num_output": outputs, "axis": written} | some(
        g, 0.25, bias_term=False, transpose=True, weight_filler=filler(g)
    )
    if axis == 1 and g.chance(0.6):
        del params["axis"]
    params |= g.one({}, {}, {}, {"spectral_norm": True}, {"equalized_lr": True})
    return g.add(kind, [x], (*x.shape[:axis], outputs), inner_product_param=params)


@op("Embed")
def embed(g, kind):
    count, outputs = g.one(1, 3, 7), g.draw.choice(CHANNELS)
    index = g.labels(g.shape(g.one(1, 2, 3)), count)
    params = {"input_dim": count, "num_output": outputs} | some(
        g, 0.3, bias_term=False, weight_filler=filler(g)
    )
    params |= g.one({}, {}, {}, {"spectral_norm": True}, {"equalized_lr": True})
    return g.add(kind, [index], (*index.shape, outputs), embed_param=params)


@op("ElementwiseWeight")
def elementwise_weight(g, kind):
    x = g.take(range(2, 6))
    params = some(g, 0.3, weight_filler={"type": "gaussian", "std": 0.1})
    return g.add(kind, [x], x.shape, in_place=True, elementwise_weight_param=params)


@op("RNN", "LSTM")
def recurrent(g, kind):
    x = g.take(range(2, 5))
    steps, streams = x.shape[:2]
    units = g.one(1, 2, 5)
    params = {"num_output": units} | some(
        g, 0.3, weight_filler={"type": "uniform", "min": -0.1, "max": 0.1}
    )
    bottoms = [x, g.fresh((steps, streams), "bits")]
    hidden = 1 if kind == "RNN" else 2
    if g.chance(0.4):
        bottoms.append(g.fresh((streams, *(3,) * g.one(0, 1, 2))))
    tops = [(steps, streams, units)]
    if g.chance(0.4):
        params["expose_hidden"] = True
        bottoms += [g.fresh((1, streams, units)) for _ in range(hidden)]
        tops += [(1, streams, units)] * hidden
    return g.add(kind, bottoms, *tops, recurrent_param=params)


@op("LSTMUnit")
def lstm_unit(g, kind):
    streams, units = g.axis("N"), g.one(1, 2, 5)
    bottoms = [
        g.fresh((1, streams, units)), g.fresh((1, streams, 4 * units)),
        g.fresh((1, streams), "bits"),
    ]  # fmt: skip
    return g.add(kind, bottoms, *[(1, streams, units)] * 2)


@op("GRU", "BidirectionalLSTM")
def stacked(g, kind):
    x = g.take((3,))
    units, layers = g.one(1, 2, 4), g.one(1, 1, 2, 3)
    params = {"num_output": units, "num_layers": layers} | some(
        g, 0.3, bias_term=False, batch_first=True, weight_filler={"type": "xavier"}
    )
    if layers > 1 and g.chance(0.4):
        params["dropout"] = g.one(0.1, 1)
    ways = 2
    if kind == "GRU":
        ways = g.one(1, 2)
        if ways == 2:
            params["bidirectional"] = True
    streams = x.shape[0 if "batch_first" in params else 1]
    state = (layers * ways, streams, units)
    count = 1 if kind == "GRU" else 2
    bottoms = [x] + ([g.fresh(state) for _ in range(count)] if g.chance(0.4) else [])
    tops = [(*x.shape[:2], ways * units)] + ([state] * count if g.chance(0.4) else [])
    key = "gru_param" if kind == "GRU" else "bidirectional_lstm_param"
    return g.add(kind, bottoms, *tops, **{key: params})


# attention, graphs


@op("MultiHeadAttention")
def multi_head_attention(g, kind):
    x = g.take((3,))
    n, t, e = x.shape
    params = {"num_heads": g.draw.choice(divisors(e))} | some(
        g, 0.3, bias_term=False, dropout=g.one(0, 0.5), causal=True
    )
    bottoms = [x]
    seen = t
    more = g.one(0, 1, 2)
    if more:
        seen = t if "causal" in params else g.one(1, 2, 5)
        bottoms += [g.fresh((n, seen, g.one(e, 3))) for _ in range(more)]
    tops = [x.shape] + ([(n, t, seen)] if g.chance(0.4) else [])
    return g.add(kind, bottoms, *tops, multi_head_attention_param=params)


@op("SelfAttention")
def self_attention(g, kind):
    x = g.take((4,))
    channels = divisors(x.shape[1])
    params = {"reduction": g.draw.choice(channels), "value_reduction": g.draw.choice(channels)}
    params |= some(g, 0.4, spectral_norm=True, pool=False)
    if min(x.spatial) < 2:
        params["pool"] = False
    return g.add(kind, [x], x.shape, self_attention_param=params)


@op("PositionalEmbedding")
def positional_embedding(g, kind):
    x = g.take((3,))
    params = g.one({"method": "SINE"}, {"input_dim": x.shape[1] + g.one(0, 2)})
    return g.add(kind, [x], x.shape, in_place=True, positional_embedding_param=params)


@op("GCNConv")
def gcn_conv(g, kind):
    x = g.take((2, 3))
    vertices = x.shape[-2]
    if g.chance(0.5):
        graph = g.fresh((vertices, vertices), "bits")
    else:
        graph = g.fresh((2, g.one(1, 4, 9)), "index", vertices, "int64")
    outputs = g.one(1, 4)
    params = {"num_output": outputs} | some(g, 0.3, bias_term=False, weight_filler=filler(g))
    return g.add(kind, [x, graph], (*x.shape[:-1], outputs), gcn_conv_param=params)


# losses


@op("SoftmaxWithLoss", "CrossEntropyLoss", "Accuracy", "InfogainLoss")
def classify(g, kind):
    x = g.take(range(2, 6))
    axis = g.draw.randint(1, x.rank - 1)
    written = g.one(axis, axis - x.rank)
    classes = x.shape[axis]
    rest = (*x.shape[:axis], *x.shape[axis + 1 :])
    shape = g.one(rest, (*x.shape[:axis], 1, *x.shape[axis + 1 :]), (*rest, 1))
    labels = g.labels(shape, classes)
    params = {} if axis == 1 and g.chance(0.5) else {"axis": written}
    loss = some(g, 0.3, ignore_label=g.one(0, 255, -1))
    norms = g.one("FULL", "VALID", "BATCH_SIZE", "NONE")
    if kind == "Accuracy":
        params |= loss | {"top_k": g.between(1, classes)}
        tops = [(), (classes,)][: g.one(1, 2)]
        return g.add(kind, [x, labels], *tops, accuracy_param=params)
    if kind == "CrossEntropyLoss":
        params |= some(g, 0.3, label_smoothing=g.one(0, 0.1, 1))
        messages = {"cross_entropy_loss_param": params, "loss_param": loss}
        return g.add(kind, [x, labels], (), **messages)
    loss |= g.one({}, {"normalization": norms}, {"normalize": g.one(True, False)})
    if kind == "SoftmaxWithLoss":
        return g.add(kind, [x, labels], (), softmax_param=params, loss_param=loss)
    matrix = g.fresh(g.one((classes, classes), (1, 1, classes, classes)))
    tops = [(), x.shape][: g.one(1, 2)]
    messages = {"infogain_loss_param": params, "loss_param": loss}
    return g.add(kind, [x, labels, matrix], *tops, **messages)


@op("HingeLoss", "MultinomialLogisticLoss")
def label_each_item(g, kind):
    x = g.take(range(2, 6))
    labels = g.labels((x.shape[0], *(1,) * g.one(0, 1, 3)), prod(x.shape[1:]))
    params = some(g, norm=g.one("L1", "L2")) if kind == "HingeLoss" else {}
    return g.add(kind, [x, labels], (), hinge_loss_param=params)


@op("EuclideanLoss", "DiceLoss", "KLDivLoss", "FocalLoss", "SigmoidCrossEntropyLoss",
    "TripletLoss", "SmoothL1Loss")  # fmt: skip
def pairs(g, kind):
    x = g.take(range(1, 6))
    n, rest = x.shape[0], x.shape[1:]

    def other(data="normal"):
        if data == "normal":
            return g.twin(x, g.one(x.shape, x.shape, (n, prod(rest))))
        return g.fresh(g.one(x.shape, (n, prod(rest))), data)

    norms = g.one("FULL", "VALID", "BATCH_SIZE", "NONE")
    if kind == "EuclideanLoss":
        return g.add(kind, [x, other()], ())
    if kind == "DiceLoss":
        params = some(g, smooth=g.one(0, 1), squared=False)
        return g.add(kind, [x, other("bits")], (), dice_loss_param=params)
    if kind == "KLDivLoss":
        message = {"kl_div_loss_param": some(g, log_target=True)}
        return g.add(kind, [x, other("bits")], (), **message)
    if kind == "FocalLoss":
        params = some(g, alpha=g.one(0, 0.5, 1), gamma=g.one(0, 2))
        loss = some(g, normalization=norms)
        return g.add(kind, [x, other("bits")], (), focal_loss_param=params, loss_param=loss)
    if kind == "SigmoidCrossEntropyLoss":
        loss = some(g, 0.4, normalization=norms, ignore_label=g.one(0, -1))
        return g.add(kind, [x, other("bits")], (), loss_param=loss)
    if kind == "TripletLoss":
        params = some(g, margin=number(g))
        return g.add(kind, [x, other(), other()], (), triplet_loss_param=params)
    bottoms = [x, other()] + ([other("bits"), other("bits")] if g.chance(0.5) else [])
    params = some(g, sigma=g.one(0.5, 3))
    return g.add(kind, bottoms, (), smooth_l1_loss_param=params)


@op("ContrastiveLoss")
def contrastive_loss(g, kind):
    shape = [g.axis("N"), g.draw.choice(CHANNELS), *(1,) * g.one(0, 0, 2)]
    bottoms = [g.fresh(shape), g.fresh(shape), g.fresh(shape[:1], "bits")]
    params = some(g, margin=number(g), legacy_version=True)
    return g.add(kind, bottoms, (), contrastive_loss_param=params)


@op("CTCLoss")
def ctc_loss(g, kind):
    steps, streams, classes = g.axis("T"), g.axis("N"), g.one(2, 3, 5)
    x = g.fresh((steps, streams, classes))
    longest = g.one(1, 2, 4)
    bottoms = [x, g.labels((streams, longest), classes)]
    if g.chance(0.4):
        bottoms += [g.fresh((streams,), "constant", int(steps)), g.fresh((streams,), "index", 2)]
    params = some(g, blank=g.draw.randint(0, classes - 1), zero_infinity=True)
    return g.add(kind, bottoms, (), ctc_loss_param=params)


@op("TVLoss")
def tv_loss(g, kind):
    x = g.take((4,))
    params = some(g, kind=g.one("ANISOTROPIC", "ISOTROPIC"), beta=g.one(0.5, 1, 2))
    return g.add(kind, [x], (), tv_loss_param=params)


# detection


@op("YoloDetection", "YoloLoss")
def yolo(g, kind):
    side, classes, num = g.one(1, 2, 3), g.one(1, 2, 3), g.one(1, 2)
    params = {"side": side, "classes": classes, "num": num} | some(g, 0.3, sqrt=False)
    n = g.axis("N")
    x = g.fresh((n, side * side * (classes + 5 * num)))
    if kind == "YoloDetection":
        params |= some(g, 0.3, softmax=True)
        top = (n, side * side * num, 5 + classes)
        return g.add(kind, [x], top, yolo_detection_param=params)
    params |= some(g, 0.3, rescore=False, noobject_scale=0)
    truth = g.fresh((n, side * side * (5 + classes)), "bits")
    return g.add(kind, [x, truth], (), yolo_loss_param=params)


@op("AnchorGenerator")
def anchor_generator(g, kind):
    x = g.take((4,))
    ratios, scales = g.one(1, [0.5, 1, 2], [1]), g.one([8, 16, 32], 4)
    params = {"ratio": ratios, "scale": scales} | some(g, feat_stride=g.one(1, 8), base_size=4)
    if g.chance(0.3):
        params, ratios, scales = {}, [1, 2, 3], [1, 2, 3]
    count = (len(ratios) if isinstance(ratios, list) else 1) * (
        len(scales) if isinstance(scales, list) else 1
    )
    h, w = x.spatial
    return g.add(kind, [x], (h * w * count, 4), anchor_generator_param=params)


@op("Proposal")
def proposal(g, kind):
    n, h, w = g.axis("N"), g.axis("H"), g.axis("W")
    count, rows = g.one(1, 3), g.one(1, 4, 9)
    params = {"ratio": [1, 2, 0.5][:count], "scale": [4], "post_nms_topn": rows}
    params |= some(g, 0.3, pre_nms_topn=g.one(1, 5), nms_thresh=g.one(0, 1), min_size=0)
    bottoms = [
        g.fresh((n, 2 * count, h, w)), g.fresh((n, 4 * count, h, w)), g.fresh((n, 3), "image"),
    ]  # fmt: skip
    return g.add(kind, bottoms, *[(n * rows, 5), (n * rows, 1)][: g.one(1, 2)],
                 proposal_param=params)  # fmt: skip


@op("PriorBox")
def prior_box(g, kind):
    x = g.take((4,))
    image = g.fresh((x.shape[0], 3, g.one(32, 7), g.one(32, 9)))
    sides = g.one([4], [4, 8], 4)
    listed = sides if isinstance(sides, list) else [sides]
    params = {"min_size": sides}
    each = 1
    if g.chance(0.5):
        params["max_size"] = [side + 3 for side in listed]
        each += 1
    ratios = g.one([], [2], [2, 3], [2, 2, 1])
    flip = g.chance(0.6)
    if ratios:
        params["aspect_ratio"] = ratios
        each += len(set(ratios) - {1}) * (1 + flip)
    if not flip:
        params["flip"] = False
    params |= some(
        g, 0.3, clip=True, variance=g.one([0.1], [0.1, 0.1, 0.2, 0.2]), offset=g.one(0, 0.5),
        img_size=g.one(32, 300), step=g.one(4, 8.5),
    )  # fmt: skip
    h, w = x.spatial
    top = (1, 2, h * w * 4 * each * len(listed))
    return g.add(kind, [x, image], top, prior_box_param=params)


@op("DetectionOutput", "MultiBoxLoss")
def ssd(g, kind):
    n, priors, classes = g.axis("N"), g.one(1, 2, 5), g.one(1, 2, 3)
    share = g.chance(0.7) or kind == "MultiBoxLoss"
    each = 4 if share else 4 * classes
    shifts = g.fresh(g.one((n, priors * each), (n, priors, each)))
    scores = g.fresh(g.one((n, priors * classes), (n, priors, classes)))
    boxes = g.fresh((1, 2, 4 * priors), "boxes")
    params = {"num_classes": classes, "share_location": share}
    params |= some(g, 0.4, code_type=g.one("CORNER", "CENTER_SIZE", "CORNER_SIZE"))
    params["background_label_id"] = 0
    if kind == "DetectionOutput":
        rows = g.one(1, 3, 8)
        params |= {"keep_top_k": rows} | some(
            g, 0.4, confidence_threshold=0.1, variance_encoded_in_target=True,
            nms_param={"nms_threshold": g.one(0, 0.45), "top_k": g.one(-1, 2)},
        )  # fmt: skip
        top = (1, 1, n * rows, 7)
        return g.add(kind, [shifts, scores, boxes], top, detection_output_param=params)
    true = g.fresh((1, 1, g.one(1, 3), 8), "truth", min(int(n), 1))
    params |= some(
        g, 0.3, match_type=g.one("BIPARTITE", "PER_PREDICTION"), neg_pos_ratio=g.one(0, 3),
        mining_type=g.one("NONE", "MAX_NEGATIVE"), conf_loss_type=g.one("SOFTMAX", "LOGISTIC"),
        loc_loss_type=g.one("L2", "SMOOTH_L1"),
    )  # fmt: skip
    return g.add(kind, [shifts, scores, boxes, true], (), multibox_loss_param=params)


@op("NMS")
def nms(g, kind):
    n, boxes, rows = g.axis("N"), g.one(1, 3, 6), g.one(1, 2, 9)
    bottoms = [g.fresh((n, boxes, 4), "boxes"), g.fresh((n, boxes))]
    params = {"top_k": rows} | some(
        g, 0.4, nms_threshold=g.one(0, 0.5, 1), score_threshold=0, normalized=False
    )
    tops = [(n, rows, 5), (n, rows)][: g.one(1, 2)]
    return g.add(kind, bottoms, *tops, dtypes=("float32", "int64"), nms_param=params)


def graph(draw, least=1, most=8):
    """Return a random net; `draw` is a random.Random, or looks like one."""
    kinds = sorted(OPS)
    if draw.random() < 0.8:  # a swarm: each net from a few types, so that pairs meet often
        kinds = draw.sample(kinds, draw.randint(1, 8))
    made = Graph(draw, kinds)
    wanted = draw.randint(least, most)
    tries = 0
    while len(made.entries) < wanted and tries < 4 * wanted:
        tries += 1
        OPS[draw.choice(kinds)](made)
    if not made.entries:  # no type of the swarm fitted
        small = made.fresh((2, 3))
        made.add("ReLU", [small], small.shape)
    return made
