"""How weights start: every filler on the blobs of every layer type, by Caffe's rule."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

import netspec
from netspec.importers import caffe_weights

from .test_caffe_reference import prototxt

# ruff: noqa: E501 - a row stands on one line

# a layer, the shapes of its bottoms, its message with the names of its fillers, its blobs in
# Caffe's order and which filler each has
LAYERS: list[tuple[str, list[list[int]], str, dict[str, Any], list[tuple[str, tuple[int, ...]]]]]
W, B = "weight_filler", "bias_filler"
LAYERS = [
    ("InnerProduct", [[2, 30]], "inner_product_param", {"num_output": 70}, [(W, (70, 30)), (B, (70,))]),
    ("InnerProduct", [[2, 3, 10]], "inner_product_param", {"num_output": 70, "transpose": True}, [(W, (30, 70)), (B, (70,))]),
    ("Convolution", [[1, 6, 9, 9]], "convolution_param", {"num_output": 10, "kernel_size": [3, 5], "group": 2}, [(W, (10, 3, 3, 5)), (B, (10,))]),
    ("Convolution", [[1, 6, 9]], "convolution_param", {"num_output": 10, "kernel_size": 3}, [(W, (10, 6, 3)), (B, (10,))]),
    ("Convolution", [[1, 6, 3, 3, 3]], "convolution_param", {"num_output": 10, "kernel_size": 2}, [(W, (10, 6, 2, 2, 2)), (B, (10,))]),
    ("Convolution", [[1, 6]], "convolution_param", {"num_output": 10, "kernel_size": 2}, [(W, (10, 6)), (B, (10,))]),
    ("Deconvolution", [[1, 6, 9, 9]], "convolution_param", {"num_output": 10, "kernel_size": 4, "group": 2}, [(W, (6, 5, 4, 4)), (B, (10,))]),
    ("Embed", [[2]], "embed_param", {"num_output": 9, "input_dim": 40}, [(W, (40, 9)), (B, (9,))]),
    ("LSTM", [[4, 2, 7], [4, 2], [2, 5]], "recurrent_param", {"num_output": 6}, [(W, (24, 7)), (B, (24,)), (W, (24, 5)), (W, (24, 6))]),
    ("RNN", [[4, 2, 7], [4, 2], [2, 5]], "recurrent_param", {"num_output": 6}, [(W, (6, 7)), (B, (6,)), (W, (6, 5)), (W, (6, 6)), (W, (6, 6)), (B, (6,))]),
    ("Scale", [[2, 20, 3]], "scale_param", {"num_axes": 2, "bias_term": True}, [("filler", (20, 3)), (B, (20, 3))]),
    ("Bias", [[2, 20, 3]], "bias_param", {"num_axes": -1}, [("filler", (20, 3))]),
    ("PReLU", [[2, 20, 3]], "prelu_param", {}, [("filler", (20,))]),
]  # fmt: skip
USUAL = {"Scale": [1.0, 0.0], "Bias": [0.0], "PReLU": [0.25]}


def started(folder: Path, kind: str, shapes: Any, message: str, params: Any) -> list[Any]:
    """Return the blobs of a layer as they start, in Caffe's order."""
    names = [f"x{index}" for index in range(len(shapes))]
    inputs = [
        {"name": n, "type": "Input", "top": n, "input_param": {"shape": {"dim": s}}}
        for n, s in zip(names, shapes, strict=True)
    ]
    layer = {"name": "l", "type": kind, "bottom": names, "top": "l", message: params}
    path = folder / "net.prototxt"
    path.write_text(prototxt({"name": "one", "layer": [*inputs, layer]}))
    net = netspec.load(str(path))
    state = netspec.build(net).state_dict()
    (node,) = net.flat.nodes
    blobs = node.layer.blob_order(list(node.weights), list(node.state))
    return [state[caffe_weights.key(node, blob)].numpy().copy() for blob in blobs]


def many(folder: Path, *row: Any) -> list[Any]:
    """Return enough starts of each blob, one above the other."""
    first = started(folder, *row)
    times = max(2, math.ceil(3000 / min(blob.size for blob in first)))
    rows = [first, *(started(folder, *row) for _ in range(min(times, 9)))]
    return [numpy.stack(column) for column in zip(*rows, strict=True)]


def fan(shape: tuple[int, ...], norm: str) -> float:
    count = math.prod(shape)
    inward = count / shape[0]
    outward = count / shape[1] if len(shape) > 1 else count
    return {"FAN_IN": inward, "FAN_OUT": outward, "AVERAGE": (inward + outward) / 2}[norm]


def near(found: float, wanted: float, spread: float, count: int) -> None:
    assert abs(found - wanted) < 6 * spread / math.sqrt(count), (found, wanted, count)


def drawn_from_uniform(values: Any, low: float, high: float) -> None:
    assert values.min() >= low - 1e-6 and values.max() <= high + 1e-6
    width = high - low
    assert values.max() - values.min() > 0.8 * width
    near(values.mean(), (low + high) / 2, width / math.sqrt(12), values.size)
    near(values.var(), width**2 / 12, width**2 * 0.075, values.size)


def drawn_from_normal(values: Any, mean: float, std: float) -> None:
    near(values.mean(), mean, std, values.size)
    near(values.var(), std**2, std**2 * math.sqrt(2), values.size)
    assert values.size < 500 or numpy.abs(values - mean).max() > 2 * std  # not cut off


FILLERS: list[dict[str, Any]] = [
    {"type": "constant", "value": 0.37}, {"type": "constant"}, {},
    {"type": "uniform"}, {"type": "uniform", "min": -0.3, "max": 0.8},
    {"type": "gaussian"}, {"type": "gaussian", "mean": 2.0, "std": 0.01},
    {"type": "gaussian", "mean": 1.0, "std": 0.1, "sparse": 3},
    {"type": "positive_unitball"},
    *({"type": kind, **norm} for kind in ("xavier", "msra") for norm in (
        {}, {"variance_norm": "FAN_IN"}, {"variance_norm": "FAN_OUT"},
        {"variance_norm": "AVERAGE"})),
]  # fmt: skip


@pytest.mark.parametrize("filler", FILLERS, ids=lambda f: "-".join(map(str, f.values())) or "none")
def test_filler(filler: dict[str, Any], tmp_path: Path) -> None:
    torch.manual_seed(5)
    for kind, shapes, message, params, blobs in LAYERS:
        named = {name: filler for name, _ in blobs}
        found = many(tmp_path, kind, shapes, message, {**params, **named})
        assert [values.shape[1:] for values in found] == [shape for _, shape in blobs]
        for values, (_, shape) in zip(found, blobs, strict=True):
            check(values.astype("f8"), shape, filler)


def check(values: Any, shape: tuple[int, ...], filler: dict[str, Any]) -> None:
    kind = filler.get("type", "constant")
    n = fan(shape, filler.get("variance_norm", "FAN_IN"))
    if kind == "constant":
        assert (values == numpy.float32(filler.get("value", 0))).all()
    elif kind == "uniform":
        drawn_from_uniform(values, filler.get("min", 0), filler.get("max", 1))
    elif kind == "xavier":
        drawn_from_uniform(values, -math.sqrt(3 / n), math.sqrt(3 / n))
    elif kind == "msra":
        drawn_from_normal(values, 0, math.sqrt(2 / n))
    elif kind == "positive_unitball":
        assert values.min() >= 0
        numpy.testing.assert_allclose(values.reshape(len(values) * shape[0], -1).sum(1), 1, 1e-5)
        inputs = math.prod(shape) // shape[0]
        if inputs > 1:
            near(values.mean(), 1 / inputs, 1 / inputs, values.size)
            assert values.std() > 0.1 / inputs
    elif "sparse" in filler:
        kept = values[values != 0]
        p = filler["sparse"] / shape[0]
        near(kept.size / values.size, p, math.sqrt(p * (1 - p)) or 1e-6, values.size)
        drawn_from_normal(kept, filler["mean"], filler["std"])
    else:
        drawn_from_normal(values, filler.get("mean", 0), filler.get("std", 1))


@pytest.mark.parametrize("kind", USUAL)
def test_without_a_filler(kind: str, tmp_path: Path) -> None:
    """What has a usual value of its own has it; other weights start as PyTorch starts them."""
    (row,) = [row for row in LAYERS if row[0] == kind]
    found = started(tmp_path, *row[:4])
    for value, wanted in zip(found, USUAL[kind], strict=True):
        assert (value == wanted).all()


@pytest.mark.parametrize("kind", ["Convolution", "Deconvolution"])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 16])
def test_bilinear(kind: str, size: int, tmp_path: Path) -> None:
    params = {"num_output": 4, "kernel_size": size, "group": 2, "bias_term": False,
              "weight_filler": {"type": "bilinear"}}  # fmt: skip
    (found,) = started(tmp_path, kind, [[1, 2, 16, 16]], "convolution_param", params)
    factor = math.ceil(size / 2)
    centre = (2 * factor - 1 - factor % 2) / (2 * factor)
    for y, x in numpy.ndindex(size, size):
        wanted = (1 - abs(x / factor - centre)) * (1 - abs(y / factor - centre))
        numpy.testing.assert_allclose(found[:, :, y, x], wanted, 1e-6, 1e-7)
