"""Replay what the real Caffe computed: build a golden net, feed it, compare everything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import torch

import netspec
from netspec.importers import caffe_weights

GOLDEN = Path(__file__).parents[1] / "golden_caffe"

torch.set_num_threads(1)


class Case:
    """One golden case: its net built for its phase, and the arrays Caffe recorded."""

    def __init__(self, path: Path, tolerance: float = 1e-5, outputs: bool = True) -> None:
        self.path = path
        self.tolerance = tolerance
        self.meta = json.loads((path / "meta.json").read_text())
        file = path / "data.npz"
        self.arrays = dict(numpy.load(file)) if file.exists() else {}
        meta = self.meta
        shapes = {name: list(self.arrays[key].shape) for name, key in self.data_blobs()}
        self.net = netspec.load(
            str(path / "net.prototxt"), phase=meta["phase"], stages=meta.get("stages", ()),
            level=meta.get("level", 0), inputs=shapes,
        )  # fmt: skip
        self.renamed = self.net.spec.document.renamed
        if outputs:
            self.expose()
        self.model = netspec.build(self.net)
        self.faults: list[str] = []

    def data_blobs(self) -> Iterator[tuple[str, str]]:
        """Yield the blobs that a database or an array held: they are inputs here."""
        prefix = "s0/" if self.meta["steps"] > 1 else ""
        if self.meta.get("type") in ("Data", "HDF5Data", "MemoryData"):
            names = [key.removeprefix(f"{prefix}out/") for key in self.arrays]
        elif any(key.startswith("src/") for key in self.arrays):
            names = ["data", "label"]
        else:
            names = []
        for name in names:
            if f"{prefix}out/{name}" in self.arrays:
                yield name, f"{prefix}out/{name}"

    def expose(self) -> None:
        """Make every blob an output: `out/blob` as it stands at the end, `top/layer/blob`."""
        flat = self.net.flat
        found = {}
        for node in flat.nodes:
            for value in node.tops:
                found[f"top/{self.renamed.get(node.name, node.name)}/{value.name}"] = value
            if node.layer.loss and "top" not in self.raw(node):
                found["out/(automatic)"] = node.tops[0]
        for name, value in flat.names.items():
            if value.maker is not None:
                found[f"out/{name}"] = value
        flat.outputs = found

    def raw(self, node: Any) -> dict[str, Any]:
        """Return the layer as the prototxt has it."""
        raw = node.place.document.places["layers", node.place.path[1]]
        return raw.values

    def run(self) -> list[str]:
        """Return what differs from Caffe, over every step."""
        self.load(self.params())
        for parameter in self.model.parameters():
            parameter.requires_grad_(True)  # Caffe's force_backward gives frozen weights a diff
        for step in range(self.meta["steps"]):
            prefix = f"s{step}/" if self.meta["steps"] > 1 else ""
            with torch.random.fork_rng(), dropping(self.array(f"{prefix}mask")):
                self.step(prefix)
        return self.faults

    def params(self) -> list[tuple[str, list[Any]]]:
        """Return the weights before the forward, by layer."""
        found: dict[str, dict[int, Any]] = {}
        for name, value in self.arrays.items():
            if name.startswith("param/"):
                layer, _, index = name.removeprefix("param/").rpartition("/")
                found.setdefault(layer, {})[int(index)] = value
        return [(layer, [blobs[i] for i in sorted(blobs)]) for layer, blobs in found.items()]

    def load(self, layers: list[tuple[str, list[Any]]]) -> None:
        """Put weights into the module."""
        fitted = caffe_weights.fit(self.net, layers, self.renamed)
        self.faults += [f"weights of {name}: {why}" for name, why in fitted.misfits]
        self.faults += [f"weights of {name}: no such layer" for name in fitted.unknown]
        state = self.model.state_dict()
        for name, value in caffe_weights.entries(self.net, fitted.arrays).items():
            where = self.attribute(name)
            if where not in state:
                continue
            state[where].copy_(torch.from_numpy(numpy.array(value)))

    def attribute(self, name: str) -> str:
        """Return the key in the module's state of a `layer.weight`."""
        layer, _, weight = name.rpartition(".")
        paths = {layer: path for path, layer in getattr(self.model, "names", {}).items()}
        return f"{paths.get(layer, layer)}.{weight}"

    def array(self, name: str) -> Any:
        return self.arrays.get(name)

    def step(self, prefix: str) -> None:
        """Run one forward and one backward, and compare."""
        meta = self.meta
        inputs = {}
        data = {name: key.replace("s0/", prefix) for name, key in self.data_blobs()}
        for name, blob in self.net.inputs.items():
            value = self.array(data.get(name, f"{prefix}in/{name}"))
            if value is None:
                self.faults.append(f"{prefix}in/{name} is not in the golden data")
                value = numpy.zeros(blob.shape, numpy.float32)
            inputs[name] = torch.from_numpy(value.copy())
        backward = meta["has_backward"]
        if backward:
            for name, value in inputs.items():
                if f"{prefix}din/{name}" in self.arrays:
                    value.requires_grad_(True)
        for parameter in self.model.parameters():
            parameter.grad = None
        with torch.set_grad_enabled(backward):
            made = self.model(*inputs.values())
        names = list(self.net.flat.outputs)
        if not isinstance(made, dict):
            made = {names[0]: made} if names else {}
        for key in self.keys(prefix):
            kind = key.partition("/")[0]
            if kind in ("out", "top"):
                name = key.removeprefix("out/")
                if kind == "out" and name in data and f"out/{name}" not in made:
                    continue  # what a data layer gives is handed in here
                if key not in made:
                    self.faults.append(f"{prefix}{key} is not made")
                else:
                    self.compare(prefix + key, made[key])
            elif kind == "loss" and "loss" in made:
                self.compare(prefix + key, made["loss"])
            elif kind == "param_after":
                self.compare_state(prefix, key)
        if backward:
            self.backward(prefix, made, inputs)

    def keys(self, prefix: str) -> list[str]:
        return [key.removeprefix(prefix) for key in self.arrays if key.startswith(prefix)]

    def backward(self, prefix: str, made: dict[str, Any], inputs: dict[str, Any]) -> None:
        """Send Caffe's diffs back, and compare what arrives."""
        total: Any = 0.0
        seeded = set()
        for key in self.keys(prefix):
            if key.startswith("dout/"):
                name = key.removeprefix("dout/")
                seeded.add(name)
                value = made.get(f"out/{name}")
                if value is not None and value.requires_grad:
                    diff = torch.from_numpy(numpy.asarray(self.arrays[prefix + key]))
                    total = total + (value * diff.reshape(value.shape)).sum()
        for name, weight in self.meta["loss_weights"].items():
            value = made.get(f"out/{name}")
            if name not in seeded and value is not None and value.requires_grad:
                total = total + weight * value.sum()
        if isinstance(total, torch.Tensor):
            total.backward()
        for key in self.keys(prefix):
            if key.startswith("din/"):
                value = inputs[key.removeprefix("din/")]
                grad = value.grad if value.grad is not None else torch.zeros_like(value)
                self.compare(prefix + key, grad)
            elif key.startswith("dparam/"):
                layer, _, index = key.removeprefix("dparam/").rpartition("/")
                owned = self.weight(layer, int(index))
                if owned is None:
                    continue
                parameter = dict(self.model.named_parameters(remove_duplicate=False)).get(owned)
                if parameter is not None:
                    grad = parameter.grad
                    grad = grad if grad is not None else torch.zeros_like(parameter)
                    wanted = self.arrays.get(prefix + key)
                    if wanted is not None:  # one weight may be shared in two shapes
                        grad = grad.reshape(wanted.shape)
                    self.compare(prefix + key, grad)

    def weight(self, layer: str, index: int) -> str | None:
        """Return the key in the module's state of one blob of a layer."""
        for node in self.net.flat.nodes:
            if self.renamed.get(node.name, node.name) == layer:
                blobs = node.layer.blob_order(list(node.weights), list(node.state))
                if index < len(blobs):
                    return self.attribute(caffe_weights.key(node, blobs[index]))
        self.faults.append(f"the net has no blob {index} in {layer}")
        return None

    def compare_state(self, prefix: str, key: str) -> None:
        layer, _, index = key.removeprefix("param_after/").rpartition("/")
        if index != "0":
            return  # the three statistics are compared together
        start = f"{prefix}param_after/{layer}/"
        blobs = [self.arrays[start + i] for i in "012" if start + i in self.arrays]
        if len(blobs) < 3:
            return
        fitted = caffe_weights.fit(self.net, [(layer, blobs)], self.renamed)
        state = self.model.state_dict()
        for name, value in fitted.arrays.items():
            self.differ(f"{prefix}{key} {name}", state[self.attribute(name)], value)

    def compare(self, key: str, found: Any) -> None:
        self.differ(key, found, self.arrays[key])

    def differ(self, what: str, found: Any, wanted: Any) -> None:
        """Note where two arrays are not the same within the tolerance."""
        ours = found.detach().to(torch.float32).numpy()
        if ours.shape != wanted.shape:
            self.faults.append(f"{what}: shape {ours.shape}, Caffe's {wanted.shape}")
            return
        if wanted.size == 0:
            return
        same = (ours == wanted) | (numpy.isnan(ours) & numpy.isnan(wanted))
        finite = numpy.isfinite(wanted)
        scale = float(numpy.abs(wanted[finite]).max()) if finite.any() else 0.0
        with numpy.errstate(invalid="ignore"):
            apart = numpy.where(same, 0.0, numpy.abs(ours.astype("f8") - wanted.astype("f8")))
        worst = float(numpy.nan_to_num(apart, nan=numpy.inf).max())
        if worst > self.tolerance * scale + 1e-6:
            where = int(numpy.nan_to_num(apart, nan=numpy.inf).argmax())
            at = numpy.unravel_index(where, ours.shape)
            self.faults.append(
                f"{what}: {ours[at]!s} at {tuple(map(int, at))}, Caffe's {wanted[at]!s}; "
                f"apart by {worst:.3g}, largest {scale:.3g}"
            )


class dropping:
    """Let dropout drop what Caffe's mask dropped."""

    def __init__(self, mask: Any) -> None:
        self.mask = None if mask is None else torch.from_numpy(mask)

    def __enter__(self) -> None:
        self.kept = torch.nn.functional.dropout
        if self.mask is not None:
            torch.nn.functional.dropout = self.dropout

    def __exit__(self, *_: object) -> None:
        torch.nn.functional.dropout = self.kept

    def dropout(self, x: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        return x * self.mask / (1 - p) if training and p < 1 else x


class Whole(Case):
    """A whole net: weights and inputs drawn by the rule of the golden data where not stored."""

    def __init__(self, path: Path, tolerance: float) -> None:
        super().__init__(path, tolerance)
        sums = path / "checksums.json"
        self.sums = json.loads(sums.read_text()) if sums.exists() else {}
        rng = numpy.random.default_rng(self.meta["seed"])
        self.drawn = self.draw(rng)
        for name, rule in self.meta["input_rule"].items():
            if not any(key.endswith(f"in/{name}") for key in self.arrays):
                self.arrays[f"in/{name}"] = drawn_input(rng, rule, self.meta["inputs"][name])

    def draw(self, rng: Any) -> list[tuple[str, list[Any]]]:
        """Return the weights by the rule."""
        found = []
        gains = self.meta["weight_gain"]
        for node in self.net.flat.nodes:
            blobs = []
            for index, weight in enumerate(
                node.layer.blob_order(list(node.weights), list(node.state))
            ):
                if weight.owner is None:
                    name = f"{node.name}/{index}"
                    value = self.draw_one(rng, node, index, weight, gains.get(name, 1.0))
                    first = self.meta["weights_first4"].get(name)
                    start = value.reshape(-1)[:4]
                    assert first is None or numpy.allclose(start, first[1:], atol=1e-7)
                    blobs.append(value)
                else:
                    blobs.append(None)
            if blobs and all(blob is not None for blob in blobs):
                found.append((node.name, blobs))
        return found

    def draw_one(self, rng: Any, node: Any, index: int, weight: Any, gain: float) -> Any:
        shape = weight.shape
        if (weight.filler or {}).get("type") == "bilinear":
            return self.model.state_dict()[self.attribute(f"{node.name}.weight")].numpy()
        if node.type == "BatchNorm":
            value = [
                lambda: 0.1 * rng.standard_normal(shape),
                lambda: rng.uniform(0.5, 1.5, shape),
                lambda: numpy.ones(shape),
            ][index]()
        elif node.type == "Scale" and index == 0:
            value = rng.uniform(0.5, 1.5, shape)
        elif len(shape) >= 2:
            value = rng.standard_normal(shape) * numpy.sqrt(2 / numpy.prod(shape[1:]))
        else:
            value = 0.05 * rng.standard_normal(shape)
        return (value * gain).astype(numpy.float32)

    def params(self) -> list[tuple[str, list[Any]]]:
        return super().params() or self.drawn

    def keys(self, prefix: str) -> list[str]:
        found = super().keys(prefix)
        extra = [key for key in self.sums if key.startswith(("out/", "dparam/"))]
        return found + [key for key in extra if key not in self.arrays]

    def compare(self, key: str, found: Any) -> None:
        if key in self.arrays:
            super().compare(key, found)
            return
        wanted, ours = self.sums[key], found.detach().numpy().astype(numpy.float64)
        if list(ours.shape) != wanted["shape"]:
            self.faults.append(f"{key}: shape {ours.shape}, Caffe's {wanted['shape']}")
            return
        flat = ours.reshape(-1)
        spaced = flat[[i * flat.size // 16 for i in range(16)]]
        scale = max(abs(wanted["min"]), abs(wanted["max"]))
        for what, mine, theirs in (
            ("mean", ours.mean(), wanted["mean"]), ("std", ours.std(), wanted["std"]),
            ("min", ours.min(), wanted["min"]), ("max", ours.max(), wanted["max"]),
            ("first8", flat[:8], wanted["first8"]), ("spaced16", spaced, wanted["spaced16"]),
        ):  # fmt: skip
            apart = float(numpy.abs(numpy.asarray(mine) - numpy.asarray(theirs)).max())
            if not apart <= self.tolerance * scale + 1e-6:
                self.faults.append(f"{key} {what}: apart by {apart:.3g}, largest {scale:.3g}")


def drawn_input(rng: Any, rule: str, shape: list[int]) -> Any:
    """Return one input by its rule."""
    kind, *numbers = rule.split()
    if kind == "standard_normal":
        value = rng.standard_normal(shape)
    elif kind == "normal":
        value = float(numbers[0]) * rng.standard_normal(shape)
    elif kind == "uniform":
        value = rng.random(shape)
    elif kind == "integers":
        value = rng.integers(0, int(numbers[0]), shape)
    else:
        raise AssertionError(f"no rule {rule}")
    return value.astype(numpy.float32)
