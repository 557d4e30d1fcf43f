"""Layer types that darknet's sections need, against its loops written out in numpy."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
import torch.nn.functional as F

import netspec

EPS = 1e-5


def build(folder: Path, inputs: dict[str, list[Any]], *layers: dict[str, Any]) -> Any:
    file = folder / "net.yaml"
    file.write_text(json.dumps({"name": "net", "inputs": inputs, "layers": layers}))
    torch.manual_seed(0)
    return netspec.build(str(file))


def sigmoid(x: Any) -> Any:
    return 1 / (1 + numpy.exp(-x))


SQUASH = {
    "TANH": numpy.tanh, "SIGMOID": sigmoid, "LINEAR": lambda x: x,
    "RELU": lambda x: numpy.where(x > 0, x, 0.1 * x),
}  # fmt: skip


class Cells:
    """Darknet's rnn, crnn, gru and lstm from their inputs on, one product for each gate."""

    def __init__(self, module: Any, act: str, train: bool) -> None:
        arrays = {name: each.detach().numpy().copy() for name, each in module.state_dict().items()}
        self.gates = 1
        self.act, self.train, self.arrays = SQUASH[act], train, arrays

    def product(self, h: Any, gate: int) -> Any:
        """Return one gate's product with a state, normalised as batchnorm_layer.c does."""
        units = h.shape[1]
        rows = slice(gate * units, (gate + 1) * units)
        weight, bias = self.arrays["weight_hh"][rows], self.arrays["bias_hh"][rows]
        if weight.ndim == 4:
            pad = weight.shape[2] // 2
            wide = numpy.pad(h, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
            y = numpy.zeros((h.shape[0], units, *h.shape[2:]), numpy.float64)
            for i, j in itertools.product(range(weight.shape[2]), range(weight.shape[3])):
                seen = wide[:, :, i : i + h.shape[2], j : j + h.shape[3]]
                y += numpy.einsum("oc,nchw->nohw", weight[:, :, i, j], seen)
        else:
            y = h @ weight.T
        spread = (1, -1) + (1,) * (y.ndim - 2)
        if "factor_hh" in self.arrays:
            axes = (0, *range(2, y.ndim))
            mean, variance = self.arrays["running_mean"][rows], self.arrays["running_var"][rows]
            if self.train:
                found = y.mean(axes), y.var(axes)
                whole = y.size // units
                mean[:] = 0.9 * mean + 0.1 * found[0]
                variance[:] = 0.9 * variance + 0.1 * found[1] * whole / (whole - 1)
                mean, variance = found
            y = (y - mean.reshape(spread)) / numpy.sqrt(variance.reshape(spread) + EPS)
            y = y * self.arrays["factor_hh"][rows].reshape(spread)
        return y + bias.reshape(spread)

    def rnn(self, x: Any, h: Any, c: Any, shortcut: bool = False) -> Any:
        return x + self.act(self.product(h, 0)) + (h if shortcut else 0), c

    def gru(self, x: Any, h: Any, c: Any) -> Any:
        x_z, x_r, x_h = numpy.split(x, 3, 1)
        z, r = sigmoid(x_z + self.product(h, 0)), sigmoid(x_r + self.product(h, 1))
        return z * h + (1 - z) * self.act(x_h + self.product(r * h, 2)), c

    def lstm(self, x: Any, h: Any, c: Any) -> Any:
        f, i, g, o = (part + self.product(h, n) for n, part in enumerate(numpy.split(x, 4, 1)))
        c = sigmoid(f) * c + sigmoid(i) * self.act(g)
        return sigmoid(o) * numpy.tanh(c), c


@pytest.mark.parametrize("train", [False, True], ids=["test", "train"])
@pytest.mark.parametrize("normed", [False, True], ids=["plain", "normed"])
@pytest.mark.parametrize("spatial", [(), (5, 4)], ids=["dense", "conv"])
@pytest.mark.parametrize(
    ("cell", "act"), [("RNN", "RELU"), ("GRU", "SIGMOID"), ("LSTM", "TANH"), ("RNN", "LINEAR")]
)
def test_cells(
    tmp_path: Path, cell: str, act: str, spatial: tuple[int, ...], normed: bool, train: bool
) -> None:
    gates, units, steps, streams = {"RNN": 1, "GRU": 3, "LSTM": 4}[cell], 3, 4, 5
    params: dict[str, Any] = {
        "cell": cell, "time_steps": steps, "activation": act, "negative_slope": 0.1,
        "batch_normalize": normed, "moving_average_fraction": 0.9, "shortcut": act == "LINEAR",
    }  # fmt: skip
    if spatial:
        params["kernel_size"] = 3
    shape = [steps * streams, gates * units, *spatial]
    layer = {"name": "cells", "type": "Recurrence", "recurrence_param": params}
    net = build(tmp_path, {"x": shape}, layer)
    module = net.cells
    with torch.no_grad():
        for name, each in module.state_dict().items():
            each.copy_(
                torch.rand_like(each) + 0.5 if "var" in name else torch.rand_like(each) - 0.5
            )
    net.train(train)
    twin = Cells(module, act, train)
    h = c = numpy.zeros((streams, units, *spatial))
    for _ in range(2):
        x = torch.randn(shape)
        if train:
            h = c = numpy.zeros((streams, units, *spatial))
        wanted = []
        for step in numpy.split(x.numpy().astype(numpy.float64), steps):
            extra = {"shortcut": True} if act == "LINEAR" else {}
            h, c = getattr(twin, cell.lower())(step, h, c, **extra)
            wanted.append(h)
        assert numpy.allclose(net(x).detach().numpy(), numpy.concatenate(wanted), atol=1e-4)
    for name, each in module.state_dict().items():
        assert numpy.allclose(each, twin.arrays[name], atol=1e-5), name


def test_states_that_are_given_and_taken(tmp_path: Path) -> None:
    layer = {"name": "cells", "type": "Recurrence", "bottom": ["x", "h", "c"],
             "top": ["y", "last_h", "last_c"],
             "recurrence_param": {"cell": "LSTM", "time_steps": 4, "expose_hidden": True},
    }  # fmt: skip
    net = build(tmp_path, {"x": ["4*N", 12], "h": ["N", 3], "c": ["N", 3]}, layer).eval()
    x, h, c = torch.randn(20, 12), torch.randn(5, 3), torch.randn(5, 3)
    y, last_h, last_c = net(x, h, c).values() if isinstance(net(x, h, c), dict) else net(x, h, c)
    twin = Cells(net.cells, "TANH", False)
    states: Any = (h.numpy(), c.numpy())
    for step in numpy.split(x.numpy(), 4):
        states = twin.lstm(step, *states)
    for made, wanted in ((y[-5:], states[0]), (last_h, states[0]), (last_c, states[1])):
        assert numpy.allclose(made.detach().numpy(), wanted, atol=1e-5)


def test_a_stream_alone_is_its_own_mean(tmp_path: Path) -> None:
    layer = {"name": "cells", "type": "Recurrence",
             "recurrence_param": {"time_steps": 2, "batch_normalize": True}}  # fmt: skip
    net = build(tmp_path, {"x": [2, 3]}, layer).train()
    x = torch.randn(2, 3)
    assert torch.allclose(net(x), x)  # the offsets are 0, and so is what is left of W h
    assert torch.allclose(net.cells.running_var, torch.full((3,), 0.999**2))


def test_signs(tmp_path: Path) -> None:
    conv = {"num_output": 6, "kernel_size": 3, "pad": 1, "group": 2, "binary_weight": True}
    net = build(
        tmp_path, {"x": [2, 4, 6, 5]}, {"name": "signs", "type": "Binarize"},
        {"name": "conv", "type": "Convolution", "convolution_param": conv},
    )  # fmt: skip
    x = torch.randn(2, 4, 6, 5, requires_grad=True)
    stored = net.conv.parametrizations.weight.original
    assert list(net.state_dict()) == ["conv.bias", "conv.parametrizations.weight.original"]
    with torch.no_grad():
        stored[0, 0, 0, 0] = 0
        x[0, 0, 0, 0] = 0
    mean = stored.detach().abs().mean((1, 2, 3), keepdim=True)
    weight = torch.where(stored.detach() > 0, mean, -mean).requires_grad_()
    signs = torch.where(x.detach() > 0, 1.0, -1.0).requires_grad_()
    wanted = F.conv2d(signs, weight, net.conv.bias, padding=1, groups=2)
    made = net(x)
    assert torch.equal(made, wanted)
    rise = torch.randn_like(made)
    made.backward(rise)
    wanted.backward(rise)
    assert torch.equal(stored.grad, weight.grad)
    assert torch.equal(x.grad, torch.where(x.abs() <= 1, signs.grad, 0.0))


def reorg(x: Any, stride: int, width: int, height: int, channels: int) -> Any:
    """Return what reorg_cpu of blas.c writes, its extents as its callers name them."""
    flat, made = x.reshape(len(x), -1), numpy.empty((len(x), x[0].size), x.dtype)
    fewer = channels // (stride * stride)
    for b, k, j, i in itertools.product(*map(range, (len(x), channels, height, width))):
        offset, c2 = divmod(k, fewer)
        w2, h2 = i * stride + offset % stride, j * stride + offset // stride
        read = w2 + width * stride * (h2 + height * stride * c2)
        made[b, i + width * (j + height * k)] = flat[b, read]
    return made


@pytest.mark.parametrize("whole", [False, True])
def test_reorg(tmp_path: Path, whole: bool) -> None:
    params = {"stride": 2, "whole_pixels": whole}
    net = build(
        tmp_path, {"x": [2, 8, 6, 4]}, {"name": "r", "type": "Reorg", "reorg_param": params}
    )
    x = torch.randn(2, 8, 6, 4)
    # reorg3d hands over the extents of what it makes, reorg those of what it takes
    extents = (2, 3, 32) if whole else (4, 6, 8)
    wanted = reorg(x.numpy(), 2, *extents).reshape(2, 32, 3, 2)
    assert numpy.array_equal(net(x).numpy(), wanted)
