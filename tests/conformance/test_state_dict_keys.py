"""Weights that torchvision publishes load into the shipped nets as they are: keys and shapes.

The lists in tests/state_dict_keys are torchvision's, so no test here needs it or a download.
Where the `references` extra is installed, `NETSPEC_BLESS=1 pytest -m reference` on this file
writes them anew. VGG is not among them: its layers have the names of Caffe's model.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
import torch

import netspec

sys.path.insert(0, str(Path(__file__).parent))
from references import torchvision

FOLDER = Path(__file__).parents[1] / "state_dict_keys"
AUXILIARY = {"aux_logits": True, "init_weights": False}
# the shipped net, torchvision's function and its keywords, the net's phase
NETS = {
    "alexnet": ("alexnet_torchvision", {}, "test"),
    "densenet121": ("densenet121", {}, "test"),
    "efficientnet_b0": ("efficientnet_b0", {}, "test"),
    "googlenet": ("googlenet_torchvision", AUXILIARY, "train"),
    "inception_v3": ("inception_v3", AUXILIARY, "train"),
    "mobilenet_v2": ("mobilenet_v2", {}, "test"),
    "resnet18": ("resnet18", {}, "test"),
    "resnet50": ("resnet50", {}, "test"),
    "resnet152": ("resnet152", {}, "test"),
    "video.r3d_18": ("video_r3d18", {}, "test"),
}


def listed(function: str) -> dict[str, list[int]]:
    return json.loads((FOLDER / f"{function}.json").read_text(encoding="utf-8"))


def meta(shapes: dict[str, list[int]]) -> dict[str, torch.Tensor]:
    return {key: torch.empty(shape, device="meta") for key, shape in shapes.items()}


def shapes(state: dict[str, torch.Tensor]) -> dict[str, list[int]]:
    return {key: list(value.shape) for key, value in state.items()}


def test_every_list_is_used():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(NETS)


@pytest.mark.parametrize("function", NETS)
def test_keys_and_shapes_are_torchvisions(function):
    name, _, phase = NETS[function]
    net = netspec.build(f"zoo:{name}", phase=phase, init=False)
    theirs = listed(function)
    assert shapes(net.state_dict()) == theirs
    net.load_state_dict(meta(theirs), strict=True, assign=True)


@pytest.mark.parametrize(
    ("function", "prefix"), [("googlenet", "aux"), ("inception_v3", "AuxLogits")]
)
def test_without_the_auxiliary_heads_the_rest_is(function, prefix):
    net = netspec.build(f"zoo:{NETS[function][0]}", init=False)
    kept = {key: shape for key, shape in listed(function).items() if not key.startswith(prefix)}
    assert len(kept) < len(listed(function)) and shapes(net.state_dict()) == kept
    net.load_state_dict(meta(kept), strict=True, assign=True)


@pytest.mark.parametrize("change", ["a key more", "a key less", "another shape"])
def test_strict_loading_tells_a_difference(change):
    net = netspec.build("zoo:resnet18", init=False)
    theirs = listed("resnet18")
    if change == "a key more":
        theirs["fc.scale"] = [1]
    elif change == "a key less":
        del theirs["fc.bias"]
    else:
        theirs["fc.bias"] = [999]
    with pytest.raises(RuntimeError, match=r"fc\."):
        net.load_state_dict(meta(theirs), strict=True, assign=True)


@pytest.mark.reference
@pytest.mark.parametrize("function", NETS)
def test_the_list_is_the_librarys(function):
    made = torchvision().models
    for part in function.split("."):
        made = getattr(made, part)
    with torch.device("meta"):
        theirs = shapes(made(weights=None, **NETS[function][1]).state_dict())
    path = FOLDER / f"{function}.json"
    if os.environ.get("NETSPEC_BLESS"):
        lines = [f" {json.dumps(key)}: {json.dumps(shape)}" for key, shape in theirs.items()]
        path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    assert listed(function) == theirs
