"""Shipped nets against the libraries that define them: keys, counts, outputs, gradients."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

import netspec

sys.path.insert(0, str(Path(__file__).parent))
from references import close, copy_in_order, pytorchcv, randomise, torchvision

pytestmark = pytest.mark.reference

SAME_KEYS = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]


@pytest.fixture(autouse=True)
def one_thread():
    torch.manual_seed(0)
    torch.set_num_threads(2)


@pytest.mark.parametrize("name", SAME_KEYS)
def test_resnet_is_torchvisions(name):
    theirs = randomise(getattr(torchvision().models, name)(weights=None)).eval()
    ours = netspec.build(f"zoo:{name}")
    ours.load_state_dict(theirs.state_dict(), strict=True)
    for size in (97, 224):
        x = torch.randn(2, 3, size, size)
        with torch.no_grad():
            close(ours(x), theirs(x))


def test_resnet_trains_as_torchvisions():
    theirs = randomise(torchvision().models.resnet18(weights=None)).train()
    ours = netspec.build("zoo:resnet18", phase="train")
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(4, 3, 64, 64)
    a, b = ours(x), theirs(x)
    close(a, b)
    a.square().mean().backward()
    b.square().mean().backward()
    grads = dict(theirs.named_parameters())
    for key, weight in ours.named_parameters():
        close(weight.grad, grads[key].grad, 1e-4)
    for key, value in theirs.state_dict().items():
        close(ours.state_dict()[key].float(), value.float())


@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_vgg_is_torchvisions(name):
    theirs = randomise(getattr(torchvision().models, name)(weights=None)).eval()
    ours = netspec.build(f"zoo:{name}")
    copy_in_order(ours, theirs)
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        close(ours(x), theirs(x))


def test_mobilenet_is_pytorchcvs():
    theirs = randomise(pytorchcv("mobilenet_w1")).eval()
    ours = netspec.build("zoo:mobilenet_v1")
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        close(ours(x), theirs(x))
