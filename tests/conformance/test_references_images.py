"""Shipped image nets against the libraries that define them: keys, outputs, gradients."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

import netspec

sys.path.insert(0, str(Path(__file__).parent))
from references import close, pytorchcv, randomise, torchvision

pytestmark = pytest.mark.reference

# name, torchvision's function, image sizes, keywords
CLASSIFIERS = [
    ("alexnet_torchvision", "alexnet", [(63, 80), (224, 224)], {}),
    ("densenet121", "densenet121", [(65, 97), (224, 224)], {}),
    *((f"densenet{n}", f"densenet{n}", [(65, 97)], {}) for n in (161, 169, 201)),
    ("mobilenet_v2", "mobilenet_v2", [(65, 97), (224, 224)], {}),
    *((f"efficientnet_b{n}", f"efficientnet_b{n}", [(65, 97)], {}) for n in range(8)),
    ("googlenet_torchvision", "googlenet", [(65, 97), (224, 224)],
     {"aux_logits": True, "init_weights": False, "transform_input": False}),
    ("inception_v3", "inception_v3", [(101, 83), (299, 299)],
     {"aux_logits": True, "init_weights": False}),
]  # fmt: skip


@pytest.fixture(autouse=True)
def repeatable():
    torch.manual_seed(0)
    torch.set_num_threads(1)


def library(function, keywords):
    return getattr(torchvision().models, function)(weights=None, **keywords)


def without_auxiliary(state):
    return {k: v for k, v in state.items() if not k.startswith(("aux", "AuxLogits"))}


@pytest.mark.parametrize(("name", "function", "sizes", "keywords"), CLASSIFIERS)
def test_is_torchvisions(name, function, sizes, keywords):
    theirs = randomise(library(function, keywords)).eval()
    ours = netspec.build(f"zoo:{name}")
    ours.load_state_dict(without_auxiliary(theirs.state_dict()), strict=True)
    for size in sizes:
        x = torch.randn(1, 3, *size)
        with torch.no_grad():
            close(ours(x), theirs(x))


# size, keywords that take chance out, and the variables that do the same
TRAINED = [
    ("densenet121", "densenet121", 64, {}, {}),
    ("mobilenet_v2", "mobilenet_v2", 64, {"dropout": 0.0}, {}),
    ("efficientnet_b0", "efficientnet_b0", 64, {"stochastic_depth_prob": 0.0, "dropout": 0.0},
     {"drop_path": 0, "dropout": 0}),
    ("efficientnet_b5", "efficientnet_b5", 64, {"stochastic_depth_prob": 0.0, "dropout": 0.0},
     {"drop_path": 0, "dropout": 0}),
    ("googlenet_torchvision", "googlenet", 64, {
        "aux_logits": True, "init_weights": False, "transform_input": False, "dropout": 0.0,
        "dropout_aux": 0.0}, {}),
    ("inception_v3", "inception_v3", 299, {
        "aux_logits": True, "init_weights": False, "dropout": 0.0}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "function", "size", "keywords", "variables"), TRAINED)
def test_trains_as_torchvisions(name, function, size, keywords, variables):
    theirs = randomise(library(function, keywords)).train().double()
    ours = netspec.build(f"zoo:{name}", phase="train", **variables).double()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    for module in ours.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    x = torch.randn(2, 3, size, size, dtype=torch.float64)
    mine, wanted = ours(x), theirs(x)
    wanted = list(wanted) if isinstance(wanted, tuple) else [wanted]
    # torchvision gives the main scores first, then the auxiliary ones from the last back
    mine = list(reversed(mine.values())) if isinstance(mine, dict) else [mine]
    for a, b in zip(mine, wanted, strict=True):
        close(a, b, 1e-9)
    sum(a.square().mean() for a in mine).backward()
    sum(b.square().mean() for b in wanted).backward()
    grads = dict(theirs.named_parameters())
    largest = max(weight.grad.abs().max() for weight in grads.values())
    for key, weight in ours.named_parameters():
        assert (weight.grad - grads[key].grad).abs().max() <= 1e-9 * largest, key
    for key, value in theirs.state_dict().items():
        close(ours.state_dict()[key].double(), value.double(), 1e-9)


@pytest.mark.parametrize(
    ("name", "model"), [("zfnet", "zfnet"), ("inception_v2_bn", "bninception")]
)
def test_is_pytorchcvs(name, model):
    theirs = randomise(pytorchcv(model)).eval()
    ours = netspec.build(f"zoo:{name}")
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        close(ours(x), theirs(x))


def test_stochastic_depth_grows_as_torchvisions():
    theirs = library("efficientnet_b1", {})
    ours = netspec.load("zoo:efficientnet_b1", phase="train")
    layers = [each.node.layer for each in ours.layers if each.type == "StochasticDepth"]
    blocks = [each for each in theirs.modules() if getattr(each, "use_res_connect", False)]
    assert len(blocks) == 16
    assert [each.drop_ratio for each in layers] == [each.stochastic_depth.p for each in blocks]
