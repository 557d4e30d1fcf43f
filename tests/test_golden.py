"""Shipped specs to their summary, DOT and source, as texts a reviewer can read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import netspec

GOLDEN = Path(__file__).parent / "golden"
SPECS = ["lenet_caffe", "convnetjs_cifar10", "resnet18", "unet_2015", "dcgan_G", "gcn_cora"]


def compare(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("NETSPEC_BLESS"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SPECS)
def test_summary(name):
    compare(f"{name}.txt", netspec.load(f"zoo:{name}").summary())


@pytest.mark.parametrize("name", SPECS)
def test_dot(name):
    from netspec_graphviz import dot

    compare(f"{name}.dot", dot(netspec.load(f"zoo:{name}")))


@pytest.mark.parametrize("name", [*SPECS, "googlenet_torchvision", "mobilenet_v2", "progan_D_1024"])
def test_source(name):
    pytest.importorskip("torch")
    at = {"H": 572, "W": 572} if name == "unet_2015" else {}
    compare(f"{name}.py.txt", netspec.source(f"zoo:{name}", at=at))
