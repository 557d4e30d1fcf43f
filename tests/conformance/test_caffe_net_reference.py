"""Small nets drawn at random against the plain numpy Caffe, run and differentiated layer by layer.

Branches, blobs read twice, in place, shared weights, propagate_down, loss_weight on any top.
NETSPEC_DRAWS times 10 is how many are drawn, NETSPEC_SEED which ones.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

import netspec

from . import caffe_reference as reference
from .golden import Case
from .test_caffe_reference import DRAWS, SEED, Dice, message, prototxt


class Blob:
    """One version of a blob: a name may have several, one for each layer in place."""

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value
        self.grad = numpy.zeros(value.shape)
        self.readers = 0


class Entry:
    """One layer of a drawn net."""

    def __init__(self, name: str, layer: Any, bottoms: list[Blob], weights: list[Any]) -> None:
        self.name = name
        self.layer = layer
        self.bottoms = bottoms
        self.weights = weights
        self.grads = [numpy.zeros(w.shape) for w in weights]
        self.stops = [False] * len(bottoms)
        self.tops: list[Blob] = []


ONE = ("ReLU", "TanH", "Sigmoid", "ELU", "Power", "Scale", "Bias", "BatchNorm", "Convolution",
       "Pooling", "LRN", "InnerProduct", "Softmax", "Slice", "Split", "Reshape", "Flatten", "Tile",
       "PReLU", "MVN", "Dropout", "BNLL", "Exp", "Reduction")  # fmt: skip
MANY = ("Eltwise", "Concat", "Eltwise")
IN_PLACE = ("ReLU", "TanH", "Sigmoid", "Scale", "Bias", "BatchNorm", "Dropout", "PReLU", "Exp")


class Drawn(Case):
    """A drawn net, and what the reference computes of it."""

    def __init__(self, seed: int) -> None:
        self.tolerance = 2e-5
        self.faults = []
        self.arrays: dict[str, Any] = {}
        self.dice = d = Dice(SEED, 1000, seed)
        self.phase = d.pick("TRAIN", "TEST")
        self.live: list[Blob] = []
        self.made: list[Blob] = []
        self.entries: list[Entry] = []
        self.layers: list[dict[str, Any]] = []
        self.shared: dict[str, Any] = {}
        for index in range(d.whole(1, 2)):
            shape = (d.whole(1, 3), d.whole(2, 4), d.whole(2, 5), d.whole(2, 5))
            value = d.normal(shape)
            self.arrays[f"in/x{index}"] = value
            dims = {"shape": {"dim": list(shape)}}
            self.layers.append({"name": f"x{index}", "type": "Input", "top": f"x{index}",
                                "input_param": dims})  # fmt: skip
            blob = Blob(f"x{index}", value.astype(float))
            self.live.append(blob)
        self.inputs = list(self.live)
        while len(self.entries) < 8:
            self.add()
        self.finish()

    def params(self) -> list[tuple[str, list[Any]]]:
        return [(e.name, e.weights) for e in self.entries if e.weights]

    def fields(self, kind: str, x: Any) -> dict[str, Any] | None:
        """Return the params of a layer on x; None where it is not for it."""
        d = self.dice
        if kind in ("Convolution", "Pooling", "LRN") and x.ndim != 4:
            return None
        if kind == "Pooling" and min(x.shape[2:]) < 2:
            return None
        if kind in ("BatchNorm", "MVN") and (x.ndim != 4 or x[0, 0].size < 4):
            return None
        if x.ndim < 2 or (kind == "PReLU" and x.ndim > 4):
            return None
        if kind == "Exp" and numpy.abs(x).max() > 5:
            return None
        return {
            "Power": {"power": 2.0, "scale": 0.5, "shift": d.pick(0.0, 1.0)},
            "Scale": {"bias_term": d.chance()},
            "Convolution": {"num_output": d.whole(2, 4), "kernel_size": 3, "pad": 1,
                            "bias_term": d.chance()},
            "Pooling": {"pool": d.pick("MAX", "AVE"), "kernel_size": 2, "stride": d.whole(1, 2)},
            "InnerProduct": {"num_output": d.whole(2, 4)},
            "Reshape": {"shape": {"dim": [0, -1]}},
            "Tile": {"tiles": 2},
            "Exp": {"scale": -0.5},
            "Reduction": {"axis": 1, "operation": d.pick("SUM", "MEAN", "ASUM", "SUMSQ")},
            "BatchNorm": {"use_global_stats": True} if d.chance(0.3) else {},
            "ReLU": {"negative_slope": 0.1} if d.chance(0.3) else {},
        }.get(kind, {})  # fmt: skip

    def add(self) -> None:
        """Add one layer, if what is drawn fits."""
        d = self.dice
        kind = d.pick(*(MANY if d.chance(0.3) else ONE))
        first = d.pick(*self.live)
        bottoms = [first]
        p: dict[str, Any] | None = {}
        if kind in MANY:
            alike = [
                b for b in self.live
                if b is not first and b.value.ndim > 1 and b.value.shape == first.value.shape
            ]  # fmt: skip
            if not alike:
                return
            bottoms.append(d.pick(*alike))
            if kind == "Eltwise":
                p = {"operation": d.pick("SUM", "PROD", "MAX")}
                if p["operation"] == "SUM" and d.chance():
                    p["coeff"] = [1.0, -0.5]
        else:
            p = self.fields(kind, first.value)
        if p is None or (kind == "Dropout" and self.phase == "TRAIN"):
            return
        count = 2 if kind == "Split" or (kind == "Slice" and first.value.shape[1] % 2 == 0) else 1
        layer = reference.TYPES[kind](p, self.phase, tops=count)
        values = [b.value for b in bottoms]
        name = f"l{len(self.entries)}"
        shapes = layer.weight_shapes(*values)
        weights = [d.normal(s, 0.5).astype(float) for s in shapes]
        if kind == "BatchNorm":
            weights[1], weights[2] = numpy.abs(weights[1]) + 0.5, numpy.ones(1)
        text: dict[str, Any] = {"name": name, "type": kind, "bottom": [b.name for b in bottoms]}
        params = self.named(kind, shapes, weights)
        tops = layer.forward(values, weights)[:count]
        if any(numpy.abs(top).max() > 50 for top in tops):
            return
        in_place = kind in IN_PLACE and first.readers == 0 and d.chance(0.4)
        names = [first.name] if in_place else [f"{name}t{i}" for i in range(count)]
        text["top"] = names
        if params:
            text["param"] = params
        if p:
            text[message(kind)] = p
        entry = Entry(name, layer, bottoms, weights)
        if d.chance(0.1):
            entry.stops = [d.chance() for _ in bottoms]
            text["propagate_down"] = [not stop for stop in entry.stops]
        for bottom in bottoms:
            bottom.readers += 1
        entry.tops = [Blob(n, top) for n, top in zip(names, tops, strict=True)]
        if d.chance(0.1):
            text["loss_weight"] = [d.pick(0.5, 2.0), *[0.0] * (count - 1)]
            entry.tops[0].grad += text["loss_weight"][0]
            entry.tops[0].readers += 1  # a weighted top counts as read by one more
        if in_place:
            self.live.remove(first)
        self.live += entry.tops
        self.made += entry.tops
        self.entries.append(entry)
        self.layers.append(text)

    def named(self, kind: str, shapes: Any, weights: list[Any]) -> list[dict[str, Any]]:
        """Return `param` with a name where the weights are shared, and take those of the owner."""
        d = self.dice
        key = f"{kind}{shapes}"
        if not shapes or kind == "BatchNorm" or d.chance(0.5):
            return []
        self.shared.setdefault(key, weights)
        weights[:] = self.shared[key]
        return [{"name": f"{kind}_{abs(hash(key)) % 1000}_{i}"} for i in range(len(shapes))]

    def finish(self) -> None:
        """Run back through the net, and record what is compared."""
        d = self.dice
        latest = {blob.name: blob for blob in self.made}
        total = 0.0
        self.weighted = {
            entry["name"]: entry["loss_weight"][0]
            for entry in self.layers if "loss_weight" in entry
        }  # fmt: skip
        for entry in self.entries:
            if entry.name in self.weighted:
                total += self.weighted[entry.name] * float(entry.tops[0].value.sum())
        for blob in self.made:
            if blob.readers == 0:
                dout = d.normal(blob.value.shape)
                blob.grad += dout
                self.arrays[f"dout/{blob.name}"] = dout
        for entry in reversed(self.entries):
            values = [b.value for b in entry.bottoms]
            found = entry.layer.backward(values, entry.weights, [t.grad for t in entry.tops])
            for bottom, stop, grad in zip(entry.bottoms, entry.stops, found[0], strict=True):
                bottom.grad = bottom.grad + (0 if stop else grad)
            entry.grads = found[1]
        for name, blob in latest.items():
            self.arrays[f"out/{name}"] = blob.value.astype("f4")
        unread = {blob.name for blob in self.inputs if blob.readers == 0}
        self.layers = [entry for entry in self.layers if entry["name"] not in unread]
        self.inputs = [blob for blob in self.inputs if blob.name not in unread]
        for blob in self.inputs:
            self.arrays[f"din/{blob.name}"] = blob.grad.astype("f4")
        sums: dict[int, Any] = {}
        for entry in self.entries:
            for weight, grad in zip(entry.weights, entry.grads, strict=True):
                sums[id(weight)] = sums.get(id(weight), 0) + grad
        for entry in self.entries:
            if not isinstance(entry.layer, reference.BatchNorm):
                for index, weight in enumerate(entry.weights):
                    grad = numpy.asarray(sums[id(weight)], "f4")
                    self.arrays[f"dparam/{entry.name}/{index}"] = grad
        if self.weighted:
            self.arrays["loss"] = numpy.float32(total)
        self.meta = {"steps": 1, "has_backward": True, "loss_weights": {}, "type": "drawn"}
        text = {"name": "one", "force_backward": True, "layer": self.layers}
        self.text = prototxt(text)

    def build(self, folder: Path) -> Drawn:
        path = folder / "net.prototxt"
        path.write_text(self.text)
        self.net = netspec.load(str(path), phase=self.phase)
        self.renamed = getattr(self.net.spec.document, "renamed", {})
        flat = self.net.flat
        flat.outputs = {f"out/{n}": v for n, v in flat.names.items() if v.maker is not None}
        for node in flat.nodes:
            if node.name in self.weighted:
                flat.outputs[f"weighted/{node.name}"] = node.tops[0]
        self.model = netspec.build(self.net)
        return self

    def differ(self, what: str, found: Any, wanted: Any) -> None:
        """Compare; what cancels to nothing is not held to more than float32 has."""
        if wanted.size and found.shape == wanted.shape:
            apart = numpy.abs(found.detach().numpy() - wanted).max()
            if apart <= 5 * self.tolerance:
                return
        super().differ(what, found, wanted)

    def backward(self, prefix: str, made: dict[str, Any], inputs: dict[str, Any]) -> None:
        """Send the weights of tops back with the diffs of the outputs."""
        for name, weight in self.weighted.items():
            top = made[f"weighted/{name}"]
            if top.requires_grad:
                (weight * top).sum().backward(retain_graph=True)
        super().backward(prefix, made, inputs)


@pytest.mark.parametrize("chunk", range(10))
def test_drawn(chunk: int, tmp_path: Path) -> None:
    failed = []
    for seed in range(chunk * DRAWS, (chunk + 1) * DRAWS):
        case = Drawn(seed)
        try:
            faults = case.build(tmp_path).run()
        except Exception as error:
            faults = [f"{type(error).__name__}: {error}"]
        if faults:
            described = json.dumps(case.layers).replace('{"name"', '\n{"name"')
            failed.append(f"draw {seed}: {case.phase}{described}\n" + "\n".join(faults))
    assert not failed, "\n\n".join(failed)
