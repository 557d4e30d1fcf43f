"""Weight files in every encoding Caffe reads: what it holds after loading, and what it gives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy
import pytest
import torch

import netspec
from netspec.importers import caffe_weights, weights

from .golden import GOLDEN

CASES = sorted(
    path.parent.name for path in (GOLDEN / "weights").glob("*/meta.json")
    if (path.parent / "net.prototxt").exists()
)  # fmt: skip
ERRORS = sorted(
    path.parent.name for path in (GOLDEN / "errors").glob("*/expected.json")
    if json.loads(path.read_text())["kind"] == "weights"
)  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_weights(name: str) -> None:
    folder = GOLDEN / "weights" / name
    meta = json.loads((folder / "meta.json").read_text())
    arrays = dict(numpy.load(folder / "data.npz"))
    if meta["weights_file"].endswith(".h5"):
        pytest.importorskip("h5py")
    net = netspec.load(str(folder / "net.prototxt"), phase=meta["phase"])
    found = weights.of_net(net, str(folder / meta["weights_file"]))
    layers: dict[str, list[numpy.ndarray]] = {}
    for key, value in arrays.items():
        if key.startswith("param/"):
            layers.setdefault(key.split("/")[1], []).append(value)
    wanted = caffe_weights.fit(net, list(layers.items())).arrays
    for key, value in found.arrays.items():
        assert numpy.array_equal(value, wanted[key]), key
    missing = {key.rpartition(".")[0] for key in wanted.keys() - found.arrays.keys()}
    assert missing == ({"fc_new"} if name == "finetune_renamed" else set())
    assert set(found.missing) == missing
    if "out/" not in "".join(arrays):
        return
    model = netspec.build(net, weights=str(folder / meta["weights_file"]))
    state = model.state_dict()
    for key, value in wanted.items():
        if key not in found.arrays:
            state[key].copy_(torch.from_numpy(value))
    made = model(torch.from_numpy(arrays["in/x"]))
    (key,) = [key for key in arrays if key.startswith("out/")]
    assert numpy.abs(made.detach().numpy() - arrays[key]).max() <= 1e-6


@pytest.mark.parametrize("name", ERRORS)
def test_refused(name: str) -> None:
    folder = GOLDEN / "errors" / name
    with pytest.raises(netspec.SpecError) as caught:
        netspec.build(str(folder / "net.prototxt"), weights=str(folder / "weights.caffemodel"))
    assert caught.value.diagnostics[0].code.id in ("E628", "E610", "E611")


def test_lenet(tmp_path: Path) -> None:
    """The caffemodel and the safetensors made of it give the same net."""
    folder = GOLDEN / "nets" / "lenet"
    arrays = dict(numpy.load(folder / "data.npz"))
    spec = tmp_path / "net.yaml"
    from netspec.cli import main

    assert main([
        "import", str(folder / "net.prototxt"), "-o", str(spec),
        "--weights", str(folder / "lenet.caffemodel"),
    ]) == 0  # fmt: skip
    x = torch.from_numpy(arrays["in/data"])
    for source, file in (
        (folder / "net.prototxt", folder / "lenet.caffemodel"),
        (spec, tmp_path / "net.safetensors"),
        (spec, folder / "lenet.caffemodel"),
    ):
        made = netspec.build(str(source), weights=str(file))(x)
        assert numpy.abs(made.detach().numpy() - arrays["out/prob"]).max() <= 1e-5
