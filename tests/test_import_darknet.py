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
        ("[gru]\noutput=2\n", "13:1: error[E206]: unknown layer type `gru`"),
        ("[convolutional]\nxnor=1\n", "14:6: error[E622]: `xnor=1` of `[convolutional]` must be 0"),
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
