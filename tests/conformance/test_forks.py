"""Layer types of Caffe's forks, against the loops of their C++ written out in numpy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import netspec

SMALLEST = 1.17549435e-38


@pytest.fixture(autouse=True)
def seeded() -> None:
    np.random.seed(7)
    torch.manual_seed(7)


def normal(*shape: int) -> Any:
    return np.random.standard_normal(shape).astype(np.float32)


class One:
    """A net of one layer: what it makes of arrays, and the gradients of a weighted sum of it."""

    def __init__(self, folder: Path, entry: dict[str, Any], *arrays: Any, tops: int = 1) -> None:
        inputs = {f"x{index}": list(np.shape(array)) for index, array in enumerate(arrays)}
        top = [f"y{index}" for index in range(tops)]
        layer = {"name": "layer", "bottom": list(inputs), "top": top} | entry
        path = folder / "net.yaml"
        path.write_text(json.dumps({"name": "one", "inputs": inputs, "layers": [layer]}))
        self.net = netspec.load(str(path), phase="train")
        self.model = netspec.build(str(path), phase="train").train()
        self.arrays = arrays

    def run(self) -> list[Any]:
        """Return the tops; they have the shapes that were inferred, compiled too."""
        self.xs = [torch.tensor(array, requires_grad=True) for array in self.arrays]
        self.tops = self.named(self.model)
        for top, declared in zip(self.tops, self.net.outputs.values(), strict=True):
            assert tuple(top.shape) == declared.shape
        return [top.detach().numpy() for top in self.tops]

    def named(self, model: Any) -> list[Any]:
        made = model(*self.xs)
        return [made[name] for name in self.net.outputs] if isinstance(made, dict) else [made]

    def compiles(self) -> None:
        """Assert that the compiled module gives the same."""
        whole = torch.compile(self.model, fullgraph=True, backend="eager")
        for one, other in zip(self.tops, self.named(whole), strict=True):
            assert torch.equal(one, other)

    def pull(self, *grads: Any) -> list[Any]:
        """Return the gradients of the bottoms for gradients of the tops; zeros where none comes."""
        pairs = [
            (top, torch.as_tensor(grad))
            for top, grad in zip(self.tops, grads, strict=True)
            if grad is not None and top.requires_grad
        ]
        if pairs:
            torch.autograd.backward([t for t, _ in pairs], [g for _, g in pairs])
        return [np.zeros(x.shape) if x.grad is None else x.grad.numpy() for x in self.xs]


def close(found: Any, wanted: Any, rtol: float = 1e-5) -> None:
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=1e-6)


# MergeCrop


def merged(a: Any, b: Any, grad: Any, params: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Return the top and both gradients, element by element as the kernels have them."""
    forward = [*params.get("forward", []), True, True][:2]
    backward = [*params.get("backward", []), *(True, False)[len(params.get("backward", [])) :]]
    pads = [(e - d) // 2 for d, e in zip(a.shape[2:], b.shape[2:], strict=True)]
    y, da, db = np.zeros_like(grad), np.zeros_like(a), np.zeros_like(b)
    ca, cb, adds = a.shape[1], b.shape[1], params.get("operation") == "ADD"
    size = int(np.prod(a.shape[2:]))
    for index in np.ndindex(*y.shape):
        n, place = index[0], index[2:]
        flat = int(np.ravel_multi_index(index, y.shape))
        there = tuple(i + pad for i, pad in zip(place, pads, strict=True))
        first = adds or (flat - n * (ca + cb) * size) // (ca * size) % 2 == 0
        one, other = (n, flat // size % ca, *place), (n, flat // size % cb, *there)
        if first:
            y[index] += a[one] if forward[0] else 0
            da[one] = grad[index] if backward[0] else 0
        if adds or not first:
            y[index] += b[other] if forward[1] else 0
            db[other] = grad[index] if backward[1] else 0
    return y, da, db


@pytest.mark.parametrize("operation", ["STACK", "ADD"])
@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"backward": [True, True]},
        {"backward": [False, True]},
        {"forward": [False], "backward": [True, True]},
        {"forward": [True, False], "backward": [True, True]},
        {"forward": [False, False], "backward": [False, False]},
    ],
)
def test_merge_crop(tmp_path: Path, operation: str, flags: dict[str, Any]) -> None:
    a, b = normal(2, 3, 4, 5), normal(2, 3, 7, 5)
    params = {"operation": operation} | flags
    one = One(tmp_path, {"type": "MergeCrop", "mergecrop_param": params}, a, b)
    grad = normal(2, 6 if operation == "STACK" else 3, 4, 5)
    wanted = merged(a, b, grad, params)
    close(one.run()[0], wanted[0])
    one.compiles()
    for found, right in zip(one.pull(grad), wanted[1:], strict=True):
        close(found, right)


@pytest.mark.parametrize(("first", "second"), [(4, 2), (4, 1), (2, 4), (3, 2)])
def test_merge_crop_of_other_channels_turns_them(tmp_path: Path, first: int, second: int) -> None:
    a, b = normal(3, first, 4), normal(3, second, 6)
    params = {"backward": [True, True]}
    one = One(tmp_path, {"type": "MergeCrop", "mergecrop_param": params}, a, b)
    grad = normal(3, first + second, 4)
    wanted = merged(a, b, grad, params)
    (found,) = one.run()
    close(found, wanted[0])
    one.compiles()
    if first > second and first % second == 0:  # each element is read once
        for found, right in zip(one.pull(grad), wanted[1:], strict=True):
            close(found, right)
        plain = np.concatenate([a, b[:, :, 1:5]], 1)
        close(one.run()[0][0], plain[0])
        assert not np.allclose(one.run()[0][1], plain[1])


# Flip, Gather


@pytest.mark.parametrize("width", [True, False])
@pytest.mark.parametrize("height", [True, False])
def test_flip(tmp_path: Path, width: bool, height: bool) -> None:
    x, grad = normal(2, 3, 4, 5), normal(2, 3, 4, 5)
    y, dx = np.empty_like(x), np.empty_like(x)
    for n, c, i, j in np.ndindex(*x.shape):
        there = n, c, 3 - i if height else i, 4 - j if width else j
        y[n, c, i, j], dx[n, c, i, j] = x[there], grad[there]
    params = {"flip_width": width, "flip_height": height}
    one = One(tmp_path, {"type": "Flip", "flip_param": params}, x)
    close(one.run()[0], y)
    one.compiles()
    close(one.pull(grad)[0], dx)


def test_flip_turns_the_width(tmp_path: Path) -> None:
    x = normal(2, 3, 4, 5)
    close(One(tmp_path, {"type": "Flip"}, x).run()[0], x[..., ::-1])
    close(One(tmp_path, {"type": "Flip"}, x[..., 0]).run()[0], x[..., 0])


def test_gather_of_one_process(tmp_path: Path) -> None:
    a, b = normal(4, 3), normal(4)
    one = One(tmp_path, {"type": "Gather"}, a, b, tops=2)
    for found, right in zip(one.run(), (a, b), strict=True):
        close(found, right)
    grads = normal(4, 3), normal(4)
    for found, right in zip(one.pull(*grads), grads, strict=True):
        close(found, right)


# SoftmaxWithLossOHEM, SmoothL1LossOHEM, BoxAnnotatorOHEM


def normalizer(loss: dict[str, Any], outer: int, inner: int, valid: int) -> float:
    mode = loss.get("normalization", "VALID")
    found = {"FULL": outer * inner, "VALID": valid, "BATCH_SIZE": outer, "NONE": 1}
    return max(1.0, loss["pre_fixed_normalizer"] if mode == "PRE_FIXED" else found[mode])


LOSSES: list[dict[str, Any]] = [
    {}, {"normalization": "FULL"}, {"normalization": "BATCH_SIZE"}, {"normalization": "NONE"},
    {"normalization": "PRE_FIXED", "pre_fixed_normalizer": 12.5},
    {"normalization": "PRE_FIXED", "pre_fixed_normalizer": 0.5},
]  # fmt: skip


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("ignored", [None, 2])
def test_softmax_with_loss_ohem(tmp_path: Path, loss: dict[str, Any], ignored: int | None) -> None:
    x, label = 3 * normal(3, 4, 2, 2), np.random.randint(0, 4, (3, 1, 2, 2)).astype(np.float32)
    x[0, :, 0, 0] = 0, 300, 0, 0
    label[0, 0, 0, 0] = 1 if ignored is None else 3
    p = np.exp(x - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    each, dx, valid = np.zeros((3, 1, 2, 2)), p.copy(), 0
    for n, i, j in np.ndindex(3, 2, 2):
        wanted = int(label[n, 0, i, j])
        if wanted == ignored:
            dx[n, :, i, j] = 0
            continue
        each[n, 0, i, j] = -np.log(max(p[n, wanted, i, j], SMALLEST))
        dx[n, wanted, i, j] -= 1
        valid += 1
    whole = normalizer(loss, 3, 4, valid)
    message = loss if ignored is None else loss | {"ignore_label": ignored}
    entry = {"type": "SoftmaxWithLossOHEM", "loss_param": message}
    one = One(tmp_path, entry, x, label, tops=3)
    for found, right in zip(one.run(), (each.sum() / whole, p, each), strict=True):
        close(found, right)
    one.compiles()
    # nothing comes back from the probabilities and from what each label costs
    close(one.pull(2.0, normal(*x.shape), normal(3, 1, 2, 2))[0], 2 * dx / whole)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("weighed", [False, True])
def test_smooth_l1_loss_ohem(tmp_path: Path, loss: dict[str, Any], weighed: bool) -> None:
    a, b = 2 * normal(3, 4, 2, 2), normal(3, 4, 2, 2)
    weight = np.random.choice([0, 1, 0.3, 4], (3, 4, 2, 2)).astype(np.float32)
    each, slope = np.zeros(a.shape), np.zeros(a.shape)
    for at in np.ndindex(*a.shape):
        d = (weight[at] if weighed else 1) * (a[at] - b[at])
        each[at] = 0.5 * d * d if abs(d) < 1 else abs(d) - 0.5
        slope[at] = d if abs(d) < 1 else np.sign(d)
    whole = normalizer(loss, 3, 4, 12)
    entry = {"type": "SmoothL1LossOHEM", "loss_param": loss}
    one = One(tmp_path, entry, *[a, b, weight][: 2 + weighed], tops=2)
    wanted = each.sum() / whole, each.sum(1, keepdims=True)
    for found, right in zip(one.run(), wanted, strict=True):
        close(found, right)
    one.compiles()
    found = one.pull(2.0, normal(3, 1, 2, 2))
    close(found[0], 2 * slope / whole)
    close(found[1], -2 * slope / whole)


@pytest.mark.parametrize("space", [(), (1, 1), (2, 3)])
def test_box_annotator_ohem(tmp_path: Path, space: tuple[int, ...]) -> None:
    count, (h, w) = 11, space or (1, 1)
    rois = normal(count, 5, h, w)
    rois[:, 0] = np.random.randint(0, 3, (count, h, w))
    cost = np.random.choice([0.5, 1, 2, 3], (count, 1, h, w)).astype(np.float32)
    label, weight = normal(count, 1, h, w), normal(count, 8, h, w)
    labels, weights = np.full(label.shape, -7.0), np.zeros(weight.shape)
    left = {0: 2, 1: 2, 2: 2}
    flat = cost.reshape(-1)
    for index in sorted(range(len(flat)), key=lambda index: -flat[index]):
        n, i, j = index // (h * w), index % (h * w) // w, index % w
        image = int(rois[n, 0, i, j])
        if left[image] > 0:
            left[image] -= 1
            labels[n, 0, i, j] = label[n, 0, i, j]
            weights[n, :, i, j] = weight[n, :, i, j]
    params = {"roi_per_img": 2, "ignore_label": -7}
    arrays = [array.reshape(count, -1, *space) for array in (rois, cost, label, weight)]
    entry = {"type": "BoxAnnotatorOHEM", "box_annotator_ohem_param": params}
    one = One(tmp_path, entry, *arrays, tops=2)
    for found, right in zip(one.run(), (labels, weights), strict=True):
        close(found, right)
    one.compiles()
    assert not any(top.requires_grad for top in one.tops)


# CenterLoss


def test_center_loss(tmp_path: Path) -> None:
    x, label = normal(6, 2, 3), np.array([0, 3, 0, 1, 0, 3], np.float32)
    params = {"num_output": 5, "center_filler": {"type": "gaussian", "std": 1}}
    one = One(tmp_path, {"type": "CenterLoss", "center_loss_param": params}, x, label)
    (weight,) = one.model.parameters()
    centers = weight.detach().numpy()
    rows, pull, count = x.reshape(6, 6), np.zeros((5, 6)), np.zeros(5)
    d = np.stack([row - centers[int(j)] for row, j in zip(rows, label, strict=True)])
    for row, j in zip(d, label.astype(int), strict=True):
        pull[j] -= row
        count[j] += 1
    close(one.run()[0], (d * d).sum() / 6 / 2)
    one.compiles()
    found = one.pull(3.0)
    close(found[0], (3 * d / 6).reshape(x.shape))
    # the centers' share does not know of the loss weight
    close(weight.grad.numpy(), pull / (count + 1)[:, None])


# BNHK


@pytest.mark.parametrize("shape", [(3, 2, 4, 5), (4, 3), (1, 2, 1, 1)])
def test_bnhk(tmp_path: Path, shape: tuple[int, ...]) -> None:
    params = {
        "momentum": 0.8, "slope_filler": {"type": "gaussian", "std": 1},
        "bias_filler": {"type": "gaussian", "std": 1},
    }  # fmt: skip
    x, grad = normal(*shape), normal(*shape)
    one = One(tmp_path, {"type": "BNHK", "bnhk_param": params}, x)
    slope, bias = (weight.detach().numpy() for weight in one.model.parameters())
    axes, spread = (0, *range(2, x.ndim)), (1, -1) + (1,) * (x.ndim - 2)
    means, variances = np.zeros(shape[1]), np.zeros(shape[1])
    for _ in range(2):
        mean, variance = x.mean(axes), x.var(axes)
        means, variances = 0.8 * means + 0.2 * mean, 0.8 * variances + 0.2 * variance
        inverse = 1 / np.sqrt(variance + 1e-5).reshape(spread)
        normed = (x - mean.reshape(spread)) * inverse
        close(one.run()[0], normed * slope.reshape(spread) + bias.reshape(spread), 1e-4)
    (dx,) = one.pull(grad)
    d = grad * slope.reshape(spread)
    m, keep = x.size // shape[1], {"axis": axes, "keepdims": True}
    sums = d.sum(**keep) + normed * (normed * d).sum(**keep)
    if m > 1:
        np.testing.assert_allclose(dx, inverse * (d - sums / m), rtol=1e-3, atol=1e-5)
    grads = [weight.grad.numpy() for weight in one.model.parameters()]
    close(grads[0], (grad * normed).sum(axes)[None], 1e-4)
    close(grads[1], grad.sum(axes)[None])
    buffers = dict(one.model.named_buffers())
    close(next(v for k, v in buffers.items() if k.endswith("mean"))[0], means)
    close(next(v for k, v in buffers.items() if k.endswith("var"))[0], variances)
    one.model.eval()
    inverse = 1 / np.sqrt(variances + 1e-5)
    wanted = (x - means.reshape(spread)) * (inverse * slope[0]).reshape(spread)
    found = one.model(torch.tensor(x))
    found = found["y0"] if isinstance(found, dict) else found
    close(found.detach(), wanted + bias.reshape(spread), 1e-4)


def test_bnhk_frozen(tmp_path: Path) -> None:
    x, grad = normal(3, 2, 4, 5), normal(3, 2, 4, 5)
    params = {"frozen": True, "eps": 0.5, "slope_filler": {"type": "constant", "value": 3}}
    one = One(tmp_path, {"type": "BNHK", "bnhk_param": params}, x)
    close(one.run()[0], 3 * x / np.sqrt(1.5))
    one.compiles()
    close(one.pull(grad)[0], 3 * grad / np.sqrt(1.5))
    assert all(weight.grad is None for weight in one.model.parameters())


# SpatialPyramidPooling


@pytest.mark.parametrize("pool", ["MAX", "AVE"])
@pytest.mark.parametrize("bins", [[1, 2, 3, 6], [6], [1, 5]])
def test_spatial_pyramid_pooling(tmp_path: Path, pool: str, bins: list[int]) -> None:
    x = normal(2, 3, 13, 8)
    made = []
    for count in bins:
        kernel = [int(size / count) for size in (13, 8)] if len(bins) > 1 else [13, 8]
        windows = [
            int(np.ceil((size - k) / k)) + 1 for size, k in zip((13, 8), kernel, strict=True)
        ]
        level = np.zeros((2, 3, *windows))
        for i, j in np.ndindex(*windows):
            part = x[:, :, i * kernel[0] :, j * kernel[1] :][:, :, : kernel[0], : kernel[1]]
            level[:, :, i, j] = part.max((2, 3)) if pool == "MAX" else part.mean((2, 3))
        made.append(level if len(bins) == 1 else level.reshape(2, -1))
    # the layer's own `pool` does not count
    entry = {
        "type": "SpatialPyramidPooling", "pooling_param": {"pool": pool},
        "spatial_pyramid_pooling_param": {"spatial_bin": bins, "pool": "AVE"},
    }  # fmt: skip
    one = One(tmp_path, entry, x)
    close(one.run()[0], made[0] if len(bins) == 1 else np.concatenate(made, 1))
    one.compiles()


# ClippedLSTM


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


class Cells:
    """Lstm of caffe-lstm, forward and backward step by step, each stream with its own marks."""

    def __init__(self, weights: list[Any], streams: int, most: float) -> None:
        self.w_i, self.w_h, self.bias = (weight.astype(np.float64) for weight in weights)
        self.streams, self.most = streams, most
        self.h = self.c = np.zeros((streams, self.w_h.shape[1]))

    def forward(self, x: Any, clip: Any) -> Any:
        self.x = x.reshape(-1, self.streams, x[0].size).astype(np.float64)
        steps = len(self.x)
        self.clip = np.ones((steps, self.streams, 1))
        if clip is None:
            self.h, self.c = np.zeros_like(self.h), np.zeros_like(self.c)
            self.clip[0] = 0
        else:
            self.clip[:] = clip.reshape(steps, self.streams, 1)
        self.before, self.gates = [], []
        for t in range(steps):
            self.before.append((self.h, self.c))
            pre = self.x[t] @ self.w_i.T + self.bias + self.clip[t] * (self.h @ self.w_h.T)
            i, f, o, g = np.split(pre, 4, 1)
            i, f, o, g = sigmoid(i), sigmoid(f) * (self.clip[t] != 0), sigmoid(o), np.tanh(g)
            self.c = f * self.c + i * g
            self.h = o * np.tanh(self.c)
            self.gates.append((i, f, o, g, self.c))
        return np.concatenate([*[h for h, _ in self.before[1:]], self.h])

    def backward(self, grad: Any) -> tuple[Any, Any, Any, Any]:
        dh = grad.reshape(len(self.x), self.streams, -1).astype(np.float64)
        dc = np.zeros_like(self.c)
        pre = [np.zeros(0)] * len(self.x)
        d_w = np.zeros_like(self.w_h)
        for t in reversed(range(len(self.x))):
            i, f, o, g, c = self.gates[t]
            h_before, c_before = self.before[t]
            keep = self.clip[t]
            dc = dc + dh[t] * o * (1 - np.tanh(c) ** 2)
            gates = [dc * g, keep * dc * c_before, dh[t] * np.tanh(c), dc * i]
            slopes = [i * (1 - i), f * (1 - f), o * (1 - o), 1 - g * g]
            pre[t] = np.concatenate([a * b for a, b in zip(gates, slopes, strict=True)], 1)
            if self.most > 0:
                pre[t] = pre[t].clip(-self.most, self.most)
            dc = keep * dc * f
            if t:
                dh[t - 1] += keep * (pre[t] @ self.w_h)
            d_w += pre[t].T @ h_before  # whatever the mark
        d_x = np.concatenate([each @ self.w_i for each in pre])
        d_w_i = sum(each.T @ x for each, x in zip(pre, self.x, strict=True))
        return d_x, d_w_i, d_w, sum(each.sum(0) for each in pre)


@pytest.mark.parametrize("streams", [1, 2])
@pytest.mark.parametrize("most", [0.0, 0.02])
@pytest.mark.parametrize("marked", [True, False])
def test_clipped_lstm(tmp_path: Path, streams: int, most: float, marked: bool) -> None:
    x, clip = normal(6 * streams, 2, 2), np.ones((6 * streams, 1), np.float32)
    clip[3 * streams] = 0
    filler = {"type": "gaussian", "std": 1}
    params = {
        "num_output": 3, "batch_size": streams, "clipping_threshold": most,
        "weight_filler": filler, "bias_filler": filler,
    }  # fmt: skip
    arrays = [x, clip] if marked else [x]
    one = One(tmp_path, {"type": "ClippedLSTM", "lstm_param": params}, *arrays)
    weights = list(one.model.parameters())
    cells = Cells([weight.detach().numpy() for weight in weights], streams, most)
    for _ in range(2):  # with marks the second goes on where the first stopped
        close(one.run()[0], cells.forward(x, clip if marked else None), 1e-4)
    grad = normal(6 * streams, 3)
    wanted = cells.backward(grad)
    found = [one.pull(grad)[0], *[weight.grad.numpy() for weight in weights]]
    for mine, right in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine, right.reshape(mine.shape), rtol=1e-4, atol=1e-5)
    fresh = One(tmp_path, {"type": "ClippedLSTM", "lstm_param": params}, *arrays)
    fresh.run()
    state = [buffer.clone() for buffer in fresh.model.buffers()]
    assert any(buffer.any() for buffer in state) == marked
    for buffer in fresh.model.buffers():
        buffer.zero_()
    fresh.compiles()
