"""Shipped Caffe nets, whole and at full size, against what the real Caffe computed."""

from __future__ import annotations

import pytest
import torch

import netspec

from .golden import GOLDEN, Whole

# golden net, shipped spec, and blobs of the spec under Caffe's names
NETS = [
    pytest.param("lenet", "lenet_caffe", {
        "pool1": "pool1", "conv2": "conv2", "ip1": "relu1", "ip2": "ip2", "prob": "prob"}),
    pytest.param("alexnet", "alexnet_caffe", {
        "conv1": "relu1", "norm1": "norm1", "pool2": "pool2", "conv4": "relu4", "pool5": "pool5",
        "fc7": "drop7", "fc8": "fc8", "prob": "prob"}, marks=pytest.mark.slow),
    pytest.param("googlenet", "googlenet_caffe", {
        "pool1/norm1": "norm1", "pool2/3x3_s2": "pool2",
        "inception_3a/output": "inception_3a.output", "inception_4b/5x5": "inception_4b.relu_5x5",
        "inception_4e/pool": "inception_4e.pool", "inception_5b/output": "inception_5b.output",
        "classifier": "classifier", "prob": "prob"}),
]  # fmt: skip


@pytest.mark.parametrize(("golden", "name", "blobs"), NETS)
def test_is_caffes(golden, name, blobs):
    case = Whole(GOLDEN / "nets" / golden, 1e-4)
    case.load(case.params())
    ours = netspec.build(f"zoo:{name}", outputs=list(blobs.values()), init=False).eval()
    theirs = list(case.model.parameters())
    with torch.no_grad():
        for mine, wanted in zip(ours.parameters(), theirs, strict=True):
            assert mine.shape == wanted.shape
            mine.copy_(wanted)
        found = ours(torch.from_numpy(case.arrays["in/data"]))
    for caffes, own in blobs.items():
        case.compare(f"out/{caffes}", found[own])
    assert case.faults == []
    assert len(found) == len(blobs)
