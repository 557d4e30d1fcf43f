"""Darknet cfgs as specs, and the weights that belong to them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

import netspec
from netspec.cli import main
from netspec.diagnostics import Report
from netspec.importers import foreign
from tests.roundtrip import facts

NET = "[net]\nheight=32\nwidth=32\nchannels=3\n"
CONV = "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\nstride=1\npad=1\nactivation=leaky\n"


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def read(text: str, **options: Any) -> netspec.Net:
        file = tmp_path / "net.cfg"
        file.write_text(text)
        return netspec.load(str(file), **options)

    return read


def refusal(load: Any, text: str) -> str:
    with pytest.raises(netspec.SpecError) as caught:
        load(text)
    return str(caught.value.diagnostics[0]).rpartition("net.cfg:")[2]


def test_sections(load: Any) -> None:
    net = load(
        NET
        + CONV
        + "[maxpool]\nsize=2\nstride=1\n"
        + CONV
        + "[shortcut]\nfrom=-2\nactivation=linear\n"
        "[route]\nlayers=-1,0\n[reorg]\nstride=2\n[upsample]\nstride=2\n[route]\nlayers=-1\ngroups=2\n"
        "group_id=1\n[yolo]\nclasses=3\n[avgpool]\n[connected]\noutput=10\nactivation=mish\n[softmax]\n"
    )
    shapes = {node.name: str(node.tops[-1].blob) for node in net.flat.nodes}
    assert shapes["conv0"] == "Nx8x32x32" and shapes["pool1"] == "Nx8x32x32"
    assert shapes["shortcut3"] == "Nx8x32x32" and shapes["route4"] == "Nx16x32x32"
    assert shapes["reorg5"] == "Nx64x16x16" and shapes["slice7"] == "Nx32x32x32"
    assert {name: str(blob) for name, blob in net.outputs.items()} == {
        "slice7_1": "Nx32x32x32", "softmax11": "Nx10",
    }  # fmt: skip


def test_a_batch_is_bound(load: Any, tmp_path: Path, capsys: Any) -> None:
    assert str(load(NET + CONV, at={"N": 3}).outputs["leaky0"]) == "3x8x32x32"
    assert main(["check", "-q", str(tmp_path / "net.cfg"), "--at", "N=3"]) == 0
    assert "W336" not in "".join(capsys.readouterr())
    with pytest.raises(netspec.SpecError, match="E335"):
        load(NET + CONV, at={"M": 3})


def test_a_shortcut_takes_what_is_common(load: Any) -> None:
    wide = CONV.replace("filters=8", "filters=12").replace("stride=1", "stride=2")
    net = load(NET + CONV + wide + "[shortcut]\nfrom=0\nactivation=leaky\n")
    assert [node.type for node in net.flat.nodes][-4:] == [
        "Pooling",
        "ChannelPad",
        "Eltwise",
        "ReLU",
    ]
    assert str(next(iter(net.outputs.values()))) == "Nx12x16x16"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[route]\nlayers=2\n",
            "14:8: error[E622]: `layers=2` of `[route]` must be a layer before",
        ),
        ("[iseg]\noutput=2\n", "13:1: error[E206]: unknown layer type `iseg`"),
        ("[convolutional]\nsway=1\n", "14:6: error[E622]: `sway=1` of `[convolutional]` must be 0"),
        (
            "[convolutional]\nshare_index=1\n",
            "14:13: error[E622]: `share_index=1` of `[convolutional]` must be the number of",
        ),
        ("[crnn]\nstride=2\npad=1\n", "14:8: error[E622]: `stride=2` of `[crnn]` must be 1"),
        ("[crnn]\nsize=5\n", "13:1: error[E622]: `pad=` of `[crnn]` must be 1"),
        (
            "[rnn]\nactivation=mish\n",
            "14:12: error[E622]: `activation=mish` of `[rnn]` must be one",
        ),
        ("[local]\nsize=5\npad=1\n", "15:5: error[E622]: `pad=1` of `[local]` must be 0, or half"),
        (
            "[upsample]\nstride=0\n",
            "14:8: error[E622]: `stride=0` of `[upsample]` must be at least 1",
        ),
        ("[maxpool]\nsizes=2\n", "14:1: error[E623]: `[maxpool]` has no option `sizes`"),
        ("[convolutional]\nfilters=0\n", "14:9: error[E204]: `num_output: 0` must be at least 1"),
    ],
)
def test_refusals(load: Any, text: str, said: str) -> None:
    assert refusal(load, NET + CONV + "\n" + text).startswith(said)


def test_weights_are_all_of_the_file(tmp_path: Path) -> None:
    cfg, file = tmp_path / "net.cfg", tmp_path / "net.weights"
    cfg.write_text(NET + CONV + "[avgpool]\n[connected]\noutput=5\nactivation=linear\n")
    rng = numpy.random.default_rng(3)
    parts = {
        name: rng.uniform(0.5, 1.5, shape).astype("f4")
        for name, shape in (
            ("shift", 8), ("factor", 8), ("mean", 8), ("variance", 8), ("filters", (8, 3, 3, 3)),
            ("offset", 5), ("matrix", (5, 8)),
        )
    }  # fmt: skip
    body = b"".join(part.tobytes() for part in parts.values())
    file.write_bytes(struct.pack("<iiiq", 0, 2, 0, 7) + body)
    x = torch.from_numpy(rng.standard_normal((2, 3, 32, 32)).astype("f4"))
    conv = torch.nn.functional.conv2d(x, torch.from_numpy(parts["filters"]), padding=1)
    wanted = torch.nn.functional.batch_norm(
        conv, *(torch.from_numpy(parts[name]) for name in ("mean", "variance", "factor", "shift")),
        eps=1e-5,
    )  # fmt: skip
    pooled = torch.nn.functional.leaky_relu(wanted, 0.1).mean((2, 3))
    wanted = pooled @ torch.from_numpy(parts["matrix"]).T + torch.from_numpy(parts["offset"])
    spec = tmp_path / "net.yaml"
    assert main(["import", str(cfg), "-o", str(spec), "--weights", str(file)]) == 0
    for source, weights in ((cfg, file), (spec, tmp_path / "net.safetensors")):
        made = netspec.build(str(source), weights=str(weights))(x)
        assert torch.allclose(made, wanted, atol=1e-4)
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(netspec.SpecError, match="are expected"):
        netspec.build(str(cfg), weights=str(file))


def test_there_and_back(tmp_path: Path) -> None:
    cfg, spec = tmp_path / "net.cfg", tmp_path / "net.yaml"
    cfg.write_text(NET + CONV + (CONV * 2 + "[shortcut]\nfrom=-3\nactivation=linear\n") * 4)
    text = foreign.spec_text(str(cfg), Report(), {})
    assert "repeat: 4" in text
    spec.write_text(text)
    assert facts(netspec.load(str(spec))) == facts(netspec.load(str(cfg)))


class File:
    """A .weights file in the making: random numbers, one after another."""

    def __init__(self) -> None:
        self.rng = numpy.random.default_rng(5)
        self.parts: list[Any] = []

    def take(self, *shape: int) -> Any:
        self.parts.append(self.rng.uniform(-0.6, 0.6, shape).astype("f4"))
        return self.parts[-1]

    def norm(self, size: int) -> Any:
        factor, mean, variance = (self.take(size) for _ in range(3))
        variance[:] = abs(variance) + 0.5
        return lambda y: factor * (y - mean) / numpy.sqrt(variance + 1e-5)

    def connected(self, inputs: int, outputs: int, normed: bool = False) -> Any:
        """Return the function of the next connected layer of the file."""
        bias, weight = self.take(outputs), self.take(outputs, inputs)
        norm = self.norm(outputs) if normed else lambda y: y
        return lambda x: norm(x @ weight.T) + bias

    def write(self, path: Path) -> None:
        body = b"".join(part.tobytes() for part in self.parts)
        path.write_bytes(struct.pack("<iiiq", 0, 2, 5, 7) + body)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + numpy.exp(-x))


def leaky(x: Any) -> Any:
    return numpy.where(x > 0, x, 0.1 * x)


@pytest.mark.parametrize("normed", [False, True], ids=["plain", "normed"])
@pytest.mark.parametrize("section", ["rnn", "gru", "lstm"])
def test_cells_and_their_weights(tmp_path: Path, section: str, normed: bool) -> None:
    cfg, path, file = tmp_path / "net.cfg", tmp_path / "net.weights", File()
    cfg.write_text(
        f"[net]\ninputs=6\ntime_steps=3\n[{section}]\nbatch_normalize={int(normed)}\noutput=5\n"
        + ("hidden=4\nactivation=leaky\nshortcut=1\n" if section == "rnn" else "")
    )
    # the parts in the order in which darknet saves them
    if section == "rnn":
        seen, kept, made = (file.connected(*size, normed) for size in ((6, 4), (4, 4), (4, 5)))
    elif section == "gru":
        z_x, r_x, h_x = (file.connected(6, 5, normed) for _ in range(3))
        z_h, r_h, h_h = (file.connected(5, 5, normed) for _ in range(3))
    else:
        f_h, i_h, g_h, o_h = (file.connected(5, 5, normed) for _ in range(4))
        f_x, i_x, g_x, o_x = (file.connected(6, 5, normed) for _ in range(4))
    file.write(path)
    net = netspec.build(str(cfg), weights=str(path)).eval()
    x = file.rng.standard_normal((3 * 2, 6)).astype("f4")
    h, c = numpy.zeros((2, 4 if section == "rnn" else 5)), numpy.zeros((2, 5))
    wanted = []
    for step in numpy.split(x, 3):
        if section == "rnn":
            h = h + leaky(seen(step)) + leaky(kept(h))
        elif section == "gru":
            z, r = sigmoid(z_x(step) + z_h(h)), sigmoid(r_x(step) + r_h(h))
            h = z * h + (1 - z) * sigmoid(h_x(step) + h_h(r * h))
        else:
            f, i, o = (
                sigmoid(of_x(step) + of_h(h)) for of_x, of_h in ((f_x, f_h), (i_x, i_h), (o_x, o_h))
            )
            c = f * c + i * numpy.tanh(g_x(step) + g_h(h))
            h = o * numpy.tanh(c)
        wanted.append(leaky(made(h)) if section == "rnn" else h)
    found = net(torch.from_numpy(x)).detach().numpy()
    assert numpy.allclose(found, numpy.concatenate(wanted), atol=1e-4)
    path.write_bytes(path.read_bytes() + bytes(4))
    with pytest.raises(netspec.SpecError, match="4 too many"):
        netspec.build(str(cfg), weights=str(path))


def test_convolutions_over_time(load: Any) -> None:
    timed = NET.replace("[net]", "[net]\ntime_steps=20") + CONV
    net = load(timed + "[crnn]\nbatch_normalize=1\npad=1\nhidden=4\noutput=6\nactivation=leaky\n")
    shapes = {node.name: str(node.tops[0].blob) for node in net.flat.nodes}
    assert shapes["state1"] == "(20*N)x4x32x32" and shapes["out_leaky1"] == "(20*N)x6x32x32"
    weights = {node.name: [w.shape for w in node.weights] for node in net.flat.nodes}
    assert weights["state1"] == [(4, 4, 3, 3), (4,), (4,)] and weights["out1"] == [(6, 4, 3, 3)]
    order = [(stored.layer, stored.names) for stored in net.spec.document.order[2:]]
    norm = ("running_mean", "running_var")
    assert order == [
        ("in_bn1", ("bias", "weight", *norm)), ("in1", ("weight",)),
        ("state1", ("bias_hh", "factor_hh", *norm, "weight_hh")),
        ("out_bn1", ("bias", "weight", *norm)), ("out1", ("weight",)),
    ]  # fmt: skip


def test_rows_become_images_of_one_pixel(load: Any) -> None:
    net = load("[net]\ninputs=8\n[connected]\noutput=4\n[crnn]\nsize=1\nhidden=3\noutput=2\n")
    assert str(net.outputs["out_sigmoid1"]) == "Nx2x1x1"


def test_filters_of_each_place(tmp_path: Path) -> None:
    cfg, path, file = tmp_path / "net.cfg", tmp_path / "net.weights", File()
    cfg.write_text(
        "[net]\nheight=5\nwidth=7\nchannels=3\n"
        "[local]\nsize=3\nstride=2\npad=1\nfilters=4\nactivation=linear\n"
    )
    bias, weight = file.take(4, 3, 4), file.take(3, 4, 4, 27)
    file.write(path)
    x = file.rng.standard_normal((2, 3, 5, 7)).astype("f4")
    wide = numpy.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    wanted = numpy.empty((2, 4, 3, 4))
    for i, j in numpy.ndindex(3, 4):
        patch = wide[:, :, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].reshape(2, -1)
        wanted[:, :, i, j] = patch @ weight[i, j].T + bias[:, i, j]
    found = netspec.build(str(cfg), weights=str(path))(torch.from_numpy(x))
    assert numpy.allclose(found.detach().numpy(), wanted, atol=1e-5)


def test_signs_of_a_binary_net(tmp_path: Path) -> None:
    cfg, path, file = tmp_path / "net.cfg", tmp_path / "net.weights", File()
    cfg.write_text(
        NET + "[convolutional]\nxnor=1\nbin_output=1\nfilters=4\nsize=3\npad=1\nactivation=linear\n"
    )
    bias, weight = file.take(4), file.take(4, 3, 3, 3)
    file.write(path)
    x = torch.from_numpy(file.rng.standard_normal((2, 3, 32, 32)).astype("f4"))
    mean = numpy.abs(weight).mean((1, 2, 3), keepdims=True)
    wanted = torch.nn.functional.conv2d(
        torch.where(x > 0, 1.0, -1.0), torch.from_numpy(numpy.where(weight > 0, mean, -mean)),
        torch.from_numpy(bias), padding=1,
    )  # fmt: skip
    assert torch.allclose(netspec.build(str(cfg), weights=str(path))(x), wanted, atol=1e-5)


def test_shared_weights_are_once_in_the_file(tmp_path: Path) -> None:
    cfg, path, file = tmp_path / "net.cfg", tmp_path / "net.weights", File()
    first = CONV.replace("filters=8", "filters=3")
    twin = first + "dilation=2\nshare_index={}\n"
    cfg.write_text(NET + first + twin.format(0) + "[dropout]\nprobability=.2\n" + twin.format(-2))
    bias = file.take(3)
    norm, weight = file.norm(3), file.take(3, 3, 3, 3)
    file.write(path)
    net = netspec.build(str(cfg), weights=str(path)).eval()
    assert sum(each.numel() for each in net.parameters()) == 81 + 6
    assert net.bn3.running_mean is net.bn0.running_mean
    x = wanted = torch.from_numpy(file.rng.standard_normal((2, 3, 32, 32)).astype("f4"))
    for reach in (1, 2, 2):
        y = torch.nn.functional.conv2d(
            wanted, torch.from_numpy(weight), padding=reach, dilation=reach
        )
        y = torch.from_numpy(norm(y.permute(0, 2, 3, 1).numpy()) + bias)
        wanted = torch.nn.functional.leaky_relu(y.permute(0, 3, 1, 2), 0.1)
    assert torch.allclose(net(x), wanted, atol=1e-3)


def test_softmax_over_whole_rows_and_over_groups(load: Any) -> None:
    x = torch.randn(2, 3, 32, 32)
    for options, groups, axis in (("", 1, 2), ("groups=4\n", 4, 2), ("spatial=1\n", 3, 1)):
        net = load(NET + "[softmax]\n" + options)
        assert str(next(iter(net.outputs.values()))) == "Nx3x32x32"
        wanted = x.reshape(2, groups, -1).softmax(axis).reshape(x.shape)
        assert torch.allclose(netspec.build(net)(x), wanted, atol=1e-6), options


def test_a_tree_of_classes_is_left_out_aloud(tmp_path: Path, capsys: Any) -> None:
    cfg = tmp_path / "net.cfg"
    cfg.write_text(NET + CONV + "[softmax]\ngroups=1\ntree=data/9k.tree\n[cost]\ntype=masked\n")
    assert main(["check", str(cfg)]) == 0
    said = capsys.readouterr()
    assert (
        "W622" in said.out + said.err
        and "`tree=data/9k.tree` of `[softmax]`" in said.out + said.err
    )
    assert list(netspec.load(str(cfg)).outputs) == ["leaky0"]


def test_outputs_of_copies_stay_outputs(tmp_path: Path) -> None:
    cfg, spec = tmp_path / "net.cfg", tmp_path / "net.yaml"
    head = CONV.replace("leaky", "logistic") + "[yolo]\n"
    cfg.write_text(NET + CONV + "".join(CONV + head + "[route]\nlayers=0\n" for _ in range(5)))
    text = foreign.spec_text(str(cfg), Report(), {})
    assert "blocks:" in text
    spec.write_text(text)
    assert facts(netspec.load(str(spec))) == facts(netspec.load(str(cfg)))
