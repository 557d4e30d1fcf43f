"""Random layers, most of them wrong in some param: what check accepts must run.

A layer starts out legal (graphs.py) or from nothing, and then a few of its params, the extents of
its inputs, or the numbers of its bottoms and tops are drawn anew, from the values at which layers
tend to break: 0, -1, one too many, axes that are not there, kernels larger than their input.
"""

from __future__ import annotations

import json

import torch

import netspec
from netspec.schema import found_types
from tests.properties import graphs, oracle

INTS = (-2, -1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 9, 12, 33)
FLOATS = (-1.0, -0.5, 0, 0.0, 0.1, 0.3, 0.5, 1, 1.0, 1.5, 2, 3.7, 20.0, 300, 1e-8, 1e-3)
# no float16 and bfloat16: PyTorch lacks many of their operations on CPUs
DTYPES = ("float32",) * 12 + ("int64", "int64", "float64", "int32", "bool")
LARGEST = 300_000
UNKNOWN = {"Python", "HDF5Output"}  # what they make nobody runs
PLAINER = {"rois": "zeros", "boxes": "normal", "truth": "zeros", "image": "normal"}
REGIONS = {"ROIPooling", "ROIAlign", "PSROIPooling"}
KINDS = sorted(
    (cls for cls in found_types() if not cls.source and cls.__name__ not in UNKNOWN),
    key=lambda cls: cls.__name__,
)


def filler(draw):
    made = {"type": draw.choice((*graphs.FILLERS, "bilinear", "constant"))}
    for name in ("value", "min", "max", "mean", "std"):
        if draw.random() < 0.2:
            made[name] = draw.choice(FLOATS)
    if draw.random() < 0.1:
        made["sparse"] = draw.choice(INTS)
    if draw.random() < 0.1:
        made["variance_norm"] = draw.choice(("FAN_IN", "FAN_OUT", "AVERAGE"))
    return made


def value(draw, param):
    """Return a value for a field, of the right kind more often than not in its limits."""
    if draw.random() < 0.02:
        return draw.choice((True, "x", [], {}, [1, 2], -1.5, 2**31, 10**12))
    if "choices" in param.limits:
        return draw.choice((*param.limits["choices"], *param.limits["choices"], "OTHER"))
    kind = param.kind
    if kind == "bool":
        return draw.random() < 0.5
    if kind == "int":
        return draw.choice(INTS)
    if kind == "float":
        return draw.choice(FLOATS)
    if kind in ("PerAxis", "Ints", "Floats"):
        pool = FLOATS if kind == "Floats" else INTS
        if draw.random() < 0.5:
            return draw.choice(pool)
        return [draw.choice(pool) for _ in range(draw.randint(0, 4))]
    if kind == "Bools":
        return [draw.random() < 0.5 for _ in range(draw.randint(0, 3))]
    if kind == "Filler":
        return filler(draw)
    if kind == "Fillers":
        return draw.choice((filler(draw), [filler(draw) for _ in range(draw.randint(0, 3))]))
    if kind == "Shape":
        return draw.choice((lambda: shape(draw), lambda: {"dim": shape(draw)}))()
    if kind == "Shapes":
        return [{"dim": shape(draw)} for _ in range(draw.randint(0, 3))]
    if kind == "Map":
        return draw.choice(({}, {"nms_threshold": 0.4}, {"top_k": draw.choice(INTS)}))
    return draw.choice(("", "x"))


def shape(draw):
    return [draw.choice((-1, 0, 1, 1, 2, 3, 4, 6)) for _ in range(draw.randint(0, 5))]


def extents(draw):
    return [draw.choice((1, 1, 2, 3, 4, 5, 6, 8)) for _ in range(draw.randint(0, 5))]


class Mutant:
    """One layer: its entry, and its inputs with the kind of data each takes."""

    def __init__(self, draw, cls):
        self.draw = draw
        self.cls = cls
        self.inputs = []  # name, shape, dtype, kind of data
        if draw.random() < 0.6 and cls.__name__ in graphs.OPS:
            self.legal()
            for _ in range(draw.choice((0, 1, 1, 1, 2, 3))):
                self.mutate()
        else:
            self.scratch()
        if draw.random() < 0.05:
            self.entry["param"] = [{"lr_mult": draw.choice((0, 1, 2)), "decay_mult": 0}
                                   for _ in range(draw.randint(1, 4))]  # fmt: skip
        if draw.random() < 0.05 and self.entry.get("bottom") and self.entry.get("top"):
            self.entry["top"] = [self.entry["bottom"][0], *self.entry["top"][1:]]
        if draw.random() < 0.03 and self.entry.get("top"):
            self.entry["loss_weight"] = [draw.choice((0, 1, 0.5)) for _ in self.entry["top"]]

    def legal(self):
        made = graphs.Graph(self.draw, [self.cls.__name__])
        for _ in range(8):
            if graphs.OPS[self.cls.__name__](made):
                break
        else:
            return self.scratch()
        self.entry = dict(made.entries[0])
        for name in self.entry.get("bottom", []):
            blob, kind = next((b, kind) for b, kind, _ in made.inputs if b.name == name)
            if name not in [each[0] for each in self.inputs]:
                self.inputs.append([name, [int(e) for e in blob.shape], blob.dtype, kind])

    def scratch(self):
        draw, cls = self.draw, self.cls
        self.inputs = []
        counts = [n if isinstance(n, tuple) else (n, n) for n in (cls.bottoms, cls.tops)]
        bottoms, tops = (
            draw.randint(least, min(least + 2 if most is None else most, least + 3))
            for least, most in counts
        )
        first = extents(draw)
        for index in range(bottoms):
            same = index and draw.random() < 0.6
            self.inputs.append(
                [f"x{index}", list(first) if same else first if not index else extents(draw),
                 draw.choice(DTYPES), "normal"]
            )  # fmt: skip
        self.entry = {"name": "layer", "type": cls.__name__}
        if bottoms:
            self.entry["bottom"] = [each[0] for each in self.inputs]
        if tops:
            self.entry["top"] = [f"y{index}" for index in range(tops)]
        for message, fields in cls.messages.items():
            params = {}
            for field, param in fields.items():
                if param.required or draw.random() < min(0.4, 3 / len(fields)):
                    params[field] = value(draw, param)
            if params:
                self.entry[message] = params

    def mutate(self):
        draw, messages = self.draw, self.cls.messages
        way = draw.random()
        if way < 0.5 and messages:
            message = draw.choice(sorted(messages))
            fields = messages[message]
            given = sorted(self.entry.get(message) or {})
            field = draw.choice(given if given and draw.random() < 0.6 else sorted(fields))
            params = dict(self.entry.get(message) or {})
            if field in params and draw.random() < 0.1:
                del params[field]
            else:
                params[field] = self.near(params.get(field), fields[field])
            self.entry[message] = params
        elif way < 0.9 and self.inputs:
            each = draw.choice(self.inputs)
            if draw.random() < 0.1:
                each[2] = draw.choice(DTYPES)
                return
            sizes = each[1]
            if sizes and draw.random() < 0.75:
                at = draw.randrange(len(sizes))
                sizes[at] = max(1, draw.choice((1, 2, sizes[at] + 1, sizes[at] - 1, 5)))
            elif sizes and draw.random() < 0.5:
                sizes.pop(draw.randrange(len(sizes)))
            else:
                sizes.insert(draw.randint(0, len(sizes)), draw.choice((1, 2, 3)))
        elif way < 0.95 and self.entry.get("bottom"):
            bottoms = list(self.entry["bottom"])
            if draw.random() < 0.5:
                bottoms.pop()
            else:
                bottoms.append(draw.choice(bottoms))
            self.entry["bottom"] = bottoms
        else:
            tops = list(self.entry.get("top", []))
            self.entry["top"] = tops[:-1] if draw.random() < 0.5 else [*tops, "more"]

    def near(self, old, param):
        """Return a value near an old one: one more, one less, or any."""
        draw = self.draw
        if type(old) is int and draw.random() < 0.5:
            return old + draw.choice((-1, 1))
        if isinstance(old, list) and old and type(old[0]) is int and draw.random() < 0.5:
            at = draw.randrange(len(old))
            return [*old[:at], old[at] + draw.choice((-1, 1)), *old[at + 1 :]]
        return value(draw, param)

    def takes(self, name):
        """Return an input and the kind of data that no reader of it can find out of range."""
        sizes, dtype, kind = next(each[1:] for each in self.inputs if each[0] == name)
        bottoms, reads = self.entry["bottom"], self.cls.reads
        place = bottoms.index(name)
        read = reads if isinstance(reads, str) else reads[min(place, len(reads) - 1)]
        kind = PLAINER.get(kind, kind)
        if kind in ("index", "constant") or (kind == "normal" and read == "any"):
            kind = "ones" if self.cls.__name__ in ("Filter", "CTCLoss") and place else "zeros"
        regions = self.cls.__name__ in REGIONS and name == bottoms[-1]
        if regions or (bottoms.count(name) > 1 and reads != "float"):
            kind = "ones" if self.cls.__name__ == "Filter" else "zeros"
        return graphs.Blob(name, sizes, dtype), kind

    def text(self):
        lines = ["name: one", "inputs:"] if self.inputs else ["name: one"]
        for name, sizes, dtype, _ in self.inputs:
            lines.append(f"  {name}: {{shape: {json.dumps(sizes)}, dtype: {dtype}}}")
        lines.append(f"layers: [{json.dumps(self.entry)}]")
        return "\n".join(lines) + "\n"


def check(draw, cls):
    """Try one random layer: return what became of it; raise Mismatch where an accepted one fails.

    `refused` by check, `not built` (the backend gives a reason), `large`, or `ran`.
    """
    mutant = Mutant(draw, cls)
    text = mutant.text()
    try:
        net = oracle.load(text, "one", phase=draw.choice(("test", "test", "train")))
    except netspec.SpecError:
        return "refused", text
    except Exception as error:
        raise oracle.Mismatch(f"check raised {error!r}\n{text}") from error
    sizes = [top.shape for layer in net.layers for top in layer.tops]
    sizes += [w.shape for layer in net.layers for w in (*layer.weights, *layer.state)]
    sizes += [(layer.macs,) for layer in net.layers]
    if any(graphs.prod(size) > LARGEST for size in sizes):
        return "large", text
    generator = torch.Generator().manual_seed(draw.randrange(1 << 30))
    feed = [oracle.data(*mutant.takes(name), 1, generator) for name in net.inputs]
    try:
        oracle.run(net, feed, text)
    except oracle.Refusal as refusal:
        return "not built", str(refusal)
    except oracle.Mismatch as mismatch:
        if "can't allocate memory" in str(mismatch):
            return "large", text
        raise
    return "ran", text
