"""A third party's package, really installed, adds a layer type, its lowering and a backend."""

# ruff: noqa: E501 - specs stand on the lines they are shown with

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SPEC = """\
inputs: {x: [2, 4, 3, 3]}
layers:
  - {name: conv, type: Convolution, convolution_param: {num_output: 4, kernel_size: 1}}
  - {name: gain, type: ChannelGain, channel_gain_param: {first: FIRST}}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("site")
    options = ["-q", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(folder)]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, str(ROOT / "tests" / "plugin")],
        check=True,
    )
    return folder


def run(site, folder, code, first=2):
    (folder / "net.yaml").write_text(SPEC.replace("FIRST", str(first)))
    path = os.pathsep.join([str(site), str(ROOT), str(ROOT / "backends")])
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=os.environ | {"PYTHONPATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_its_layer_type_is_checked_like_any_other(site, tmp_path):
    code = "import netspec; net = netspec.load('net.yaml'); print(net.params.total, net.layers[1].type)"
    assert run(site, tmp_path, code).stdout == "24 ChannelGain\n"
    wrong = run(site, tmp_path, code, first=9).stderr
    assert "error[E413]: `first: 9` of `gain` is more than 4" in wrong and "net.yaml:4:65" in wrong
    assert "error[E204]: `first: -1` must be at least 0" in run(site, tmp_path, code, -1).stderr


def test_a_misspelt_type_of_it_is_suggested(site, tmp_path):
    code = "import netspec; netspec.load('bad.yaml')"
    (tmp_path / "bad.yaml").write_text(SPEC.replace("ChannelGain", "ChanelGain"))
    assert "did you mean `ChannelGain`?" in run(site, tmp_path, code).stderr


def test_without_it_the_type_is_unknown(tmp_path):
    done = run(tmp_path, tmp_path, "import netspec; netspec.load('net.yaml')")
    assert "error[E206]: unknown layer type `ChannelGain`" in done.stderr


def test_its_lowering_builds_and_its_source_stands_alone(site, tmp_path):
    pytest.importorskip("torch")
    code = (
        "import netspec, torch\n"
        "model = netspec.build('net.yaml')\n"
        "model.gain.weight.data.fill_(3.0)\n"
        "x = torch.randn(2, 4, 3, 3)\n"
        "y = model.conv(x); y[:, :2] *= 9; y[:, 2:] *= 3\n"
        "torch.testing.assert_close(model(x), y)\n"
        "assert 'acme' not in model.source and 'class Gain(' in model.source\n"
        "print(list(model.state_dict()))"
    )
    done = run(site, tmp_path, code)
    assert done.stdout == "['conv.weight', 'conv.bias', 'gain.weight']\n", done.stderr


def test_its_backend_is_found_by_name(site, tmp_path):
    code = (
        "import netspec\nfrom importlib import import_module\nfrom netspec.plugins import entry_points\n"
        "module, _, name = entry_points('netspec.backends')['acme-count'].partition(':')\n"
        "print(getattr(import_module(module), name)(netspec.load('net.yaml')))"
    )
    assert run(site, tmp_path, code).stdout == "2\n"
