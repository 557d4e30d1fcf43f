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


def test_linear_and_mlp_are_torchs():
    flat = torch.nn.Flatten
    linear = torch.nn.Sequential(flat(), torch.nn.Linear(3072, 10))
    hidden = torch.nn.Sequential(
        flat(), torch.nn.Linear(3072, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10)
    )
    for name, theirs in ("linear_cifar10", linear), ("mlp2_cifar10", hidden):
        ours = netspec.build(f"zoo:{name}")
        copy_in_order(ours, theirs)
        x = torch.randn(4, 3, 32, 32)
        close(ours(x), theirs(x))


def keras_backend(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras")


def test_activity_is_keras(monkeypatch):
    keras = keras_backend(monkeypatch)
    layers = keras.layers
    theirs = keras.Sequential(
        [
            keras.Input((240,)),
            layers.Reshape((80, 3)),
            layers.Conv1D(100, 10, activation="relu"),
            layers.Conv1D(100, 10, activation="relu"),
            layers.MaxPooling1D(3),
            layers.Conv1D(160, 10, activation="relu"),
            layers.Conv1D(160, 10, activation="relu"),
            layers.GlobalAveragePooling1D(),
            layers.Dropout(0.5),
            layers.Dense(6, activation="softmax"),
        ]
    )
    ours = netspec.build("zoo:activity_1dcnn")
    state = ours.state_dict()
    arrays = [torch.from_numpy(array.copy()) for array in theirs.get_weights()]
    with torch.no_grad():
        for tensor, array in zip(state.values(), arrays, strict=True):
            # Keras keeps width x in x out, and in x out
            order = {3: (2, 1, 0), 2: (1, 0), 1: (0,)}[array.dim()]
            tensor.copy_(array.permute(order))
    x = torch.randn(5, 240)
    with torch.no_grad():
        close(ours(x), torch.as_tensor(theirs(x).detach()))


def test_activity_has_every_row_of_the_lectures_table():
    net = netspec.load("zoo:activity_1dcnn", at={"N": 1})
    rows = [
        ("reshape", (80, 3), 0),
        ("conv1d_1", (71, 100), 3100),
        ("conv1d_2", (62, 100), 100100),
        ("max_pooling1d_1", (20, 100), 0),
        ("conv1d_3", (11, 160), 160160),
        ("conv1d_4", (2, 160), 256160),
        ("global_average_pooling1d_1", (160,), 0),
        ("dropout_1", (160,), 0),
        ("dense_1", (6,), 966),
    ]
    layers = {layer.name: layer for layer in net.layers}
    for name, shape, params in rows:
        layer = layers[name]
        found = [size for size in layer.tops[0].shape[1:] if size != 1]
        assert found in (list(shape), list(reversed(shape))), name
        assert sum(weight.size for weight in layer.weights) == params, name
    assert net.params.total == 520_486


def test_gcn_is_torch_geometrics():
    geometric = pytest.importorskip("torch_geometric")
    theirs = geometric.nn.GCN(1433, 16, 2, 7).eval()
    ours = netspec.build("zoo:gcn_cora")
    copy = {name.replace("convs.0", "conv1").replace("convs.1", "conv2"): value
            for name, value in theirs.state_dict().items()}  # fmt: skip
    ours.load_state_dict(copy, strict=True)
    with torch.no_grad():
        edges = torch.randint(2708, (2, 5000))
        edges = torch.cat([edges, edges.flip(0)], 1)
        edges = torch.unique(edges[:, edges[0] != edges[1]], dim=1)
        adjacency = torch.zeros(2708, 2708)
        adjacency[edges[0], edges[1]] = 1
        x = torch.rand(2708, 1433)
        close(ours(x, adjacency), theirs(x, edges))


def test_unet_is_keras_unets(monkeypatch):
    keras = keras_backend(monkeypatch)
    monkeypatch.setattr(keras.backend, "int_shape", lambda t: tuple(t.shape), raising=False)
    import importlib.util
    import types

    found = importlib.util.find_spec("keras_unet")
    if found is None:
        pytest.skip("keras_unet is not installed")
    package = types.ModuleType("keras_unet")  # its own __init__ needs TensorFlow
    package.__path__ = list(found.submodule_search_locations)
    package.TF = False
    models = types.ModuleType("keras_unet.models")
    models.__path__ = [f"{package.__path__[0]}/models"]
    monkeypatch.setitem(sys.modules, "keras_unet", package)
    monkeypatch.setitem(sys.modules, "keras_unet.models", models)
    from keras_unet.models.vanilla_unet import vanilla_unet

    theirs = vanilla_unet((204, 204, 1), num_classes=2, dropout=0.5)
    ours = netspec.build("zoo:unet_2015")
    ours.score = torch.nn.Sequential(ours.score, torch.nn.Sigmoid())
    tensors = ours.state_dict()
    arrays = [torch.from_numpy(array.copy()) for array in theirs.get_weights()]
    assert sum(map(torch.numel, arrays)) == 31_030_658
    with torch.no_grad():
        for (name, tensor), array in zip(tensors.items(), arrays, strict=True):
            if array.dim() == 4:
                array = array.permute(3, 2, 0, 1)  # both kinds: Keras transposed is h w out in
                if ".convs.conv1" in name:  # theirs joins (up, skip), ours (skip, up)
                    array = array.roll(array.shape[1] // 2, 1)
            tensor.copy_(array)
        x = torch.randn(1, 1, 204, 204)
        expected = torch.as_tensor(theirs(x.permute(0, 2, 3, 1)).detach()).permute(0, 3, 1, 2)
        close(ours(x), expected)
