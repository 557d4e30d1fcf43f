"""Normalisation, activations and weight attributes in torch, against formulas of their own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
import yaml
from torch import nn

import netspec


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)


@pytest.fixture
def make(tmp_path: Any) -> Any:
    """Return a builder of one layer: type, its entry, and the shapes of its bottoms."""

    def build(kind: str, *shapes: list[Any], phase: str = "train", **entry: Any) -> nn.Module:
        inputs = {f"x{index}": shape for index, shape in enumerate(shapes)}
        layer = {"name": "l", "type": kind, "bottom": list(inputs)} | entry
        file = tmp_path / "net.yaml"
        file.write_text(yaml.safe_dump({"name": "T", "inputs": inputs, "layers": [layer]}))
        model: nn.Module = netspec.build(str(file), phase=phase)
        return model

    return build


def close(a: torch.Tensor, b: torch.Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


X4 = ["N", 6, "H", "W"]


@pytest.mark.parametrize("shape", [(5, 6), (5, 6, 7), (5, 6, 4, 3), (2, 6, 3, 4, 2)])
def test_affine_batch_norm_is_torchs(make: Any, shape: tuple[int, ...]) -> None:
    symbols = ["N", 6, *"DHW"[: len(shape) - 2]]
    param = {"scale_bias": True, "moving_average_fraction": 0.9}
    ours = make("BatchNorm", symbols, batch_norm_param=param)
    theirs = getattr(nn, f"BatchNorm{max(len(shape) - 2, 1)}d")(6)
    nn.init.normal_(theirs.weight)
    ours.load_state_dict({f"l.{k}": v for k, v in theirs.state_dict().items()}, strict=True)
    for _ in range(2):
        x = torch.randn(shape)
        close(ours(x), theirs(x))
    close(ours.l.running_var, theirs.running_var)
    x = torch.randn(shape)
    close(ours.eval()(x), theirs.eval()(x))


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("fixed", [True, False])
def test_use_global_stats_overrules_the_mode(make: Any, affine: bool, fixed: bool) -> None:
    param = {"scale_bias": affine, "use_global_stats": fixed}
    model = make("BatchNorm", X4, batch_norm_param=param)
    before = model.l.running_mean.clone()
    x = torch.randn(4, 6, 3, 3) + 2
    for mode in (True, False):
        y = model.train(mode)(x)
        assert (float(y.detach().mean().abs()) < 1e-4) != fixed
    assert torch.equal(before, model.l.running_mean) == fixed


def test_a_frozen_block_keeps_its_statistics(tmp_path: Any) -> None:
    for affine in (False, True):
        norm = {"name": "bn", "type": "BatchNorm", "batch_norm_param": {"scale_bias": affine}}
        block = {"inputs": ["x"], "layers": [norm | {"bottom": "x"}]}
        use = {"name": "b", "block": "b", "freeze": True}
        spec = {"inputs": {"x": X4}, "blocks": {"b": block}, "layers": [use]}
        file = tmp_path / "net.yaml"
        file.write_text(yaml.safe_dump(spec))
        model = netspec.build(str(file), phase="train")
        state = {key: value.clone() for key, value in model.state_dict().items()}
        model(torch.randn(4, 6, 3, 3))
        assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
        assert not any(weight.requires_grad for weight in model.parameters())


def test_fork_batch_norm_blob_order() -> None:
    from netspec.layers.batch_norm import BatchNorm
    from netspec.layers.bn import BN

    found = BatchNorm(scale_bias=True).blob_order(["weight", "bias"], ["mean", "var"])
    assert (found[0], found[1], found[3], found[4]) == ("mean", "var", "weight", "bias")
    assert BN().blob_order(["weight", "bias"], ["mean", "var"]) == ["weight", "bias", "mean", "var"]


def test_older_forks_bn(make: Any) -> None:
    model = make("BN", X4, bn_param={"momentum": 0.95, "slope_filler": {"value": 3}})
    x = torch.randn(4, 6, 3, 3)
    close(model(x), 3 * F.batch_norm(x, None, None, None, None, True, 0.0, 1e-5))
    close(model.l.running_mean, 0.05 * x.mean((0, 2, 3)))
    frozen = make("BN", X4, bn_param={"frozen": True})
    close(frozen(x), x / (1 + 1e-5) ** 0.5)


def test_layer_norms(make: Any) -> None:
    x = torch.randn(2, 6, 4, 5)
    pixels = make("LayerNorm", X4, layer_norm_param={"axis": 1, "num_axes": 1, "eps": 1e-6})
    nn.init.normal_(pixels.l.weight)
    middle = x - x.mean(1, keepdim=True)
    scaled = middle / (middle.square().mean(1, keepdim=True) + 1e-6).sqrt()
    close(pixels(x), scaled * pixels.l.weight[:, None, None])
    last = make("LayerNorm", ["N", "T", 5], layer_norm_param={"bias_term": False})
    close(last(x[:, :, 0]), F.layer_norm(x[:, :, 0], [5]))
    assert list(last.state_dict()) == ["l.weight"]
    root = make("RMSNorm", X4, rms_norm_param={"axis": 1, "num_axes": 1})
    close(root(x), x / (x.square().mean(1, keepdim=True) + 1e-6).sqrt())


def test_instance_and_group_norm(make: Any) -> None:
    x = torch.randn(2, 6, 4, 5)
    close(make("InstanceNorm", X4)(x), F.instance_norm(x))
    affine = make("InstanceNorm", X4, instance_norm_param={"affine": True})
    nn.init.constant_(affine.l.weight, 2.0)
    close(affine(x), 2 * F.instance_norm(x))
    close(make("GroupNorm", X4, group_norm_param={"num_groups": 3})(x), F.group_norm(x, 3))


def test_pixel_norm_and_minibatch_std_dev(make: Any) -> None:
    x = torch.randn(8, 6, 2, 3)
    close(make("PixelNorm", X4)(x), x / (x.square().mean(1, keepdim=True) + 1e-8).sqrt())
    y = make("MinibatchStdDev", [8, 6, 2, 3])(x)
    close(y[:, :6], x)
    for item in range(8):
        group = x[item % 2 :: 2]
        deviation = (group.var(0, correction=0) + 1e-8).sqrt().mean()
        close(y[item, 6], deviation.expand(2, 3))
    assert make("MinibatchStdDev", [3, 5])(torch.randn(3, 5)).shape == (3, 6)


def test_normalize(make: Any) -> None:
    x = torch.randn(2, 6, 3, 4)
    param = {"across_spatial": False, "channel_shared": False, "scale_filler": {"value": 20}}
    model = make("Normalize", X4, norm_param=param)
    assert model.l.weight.shape == (6,)
    close(model(x), 20 * F.normalize(x, dim=1))
    whole = make("Normalize", X4)
    assert whole.l.weight.shape == ()
    close(whole(x), x / x.flatten(1).norm(dim=1)[:, None, None, None])


def test_conditional_batch_norm(make: Any) -> None:
    param = {"num_classes": 5}
    model = make("ConditionalBatchNorm", X4, ["N"], conditional_batch_norm_param=param)
    nn.init.normal_(model.l.weight)
    nn.init.normal_(model.l.bias)
    x, label = torch.randn(4, 6, 3, 3), torch.tensor([0, 4, 2, 4])
    wanted = F.batch_norm(x, None, None, None, None, True)
    rows = [wanted[i] * model.l.weight[k, :, None, None] + model.l.bias[k, :, None, None]
            for i, k in enumerate(label.tolist())]  # fmt: skip
    close(model(x, label), torch.stack(rows))
    close(model.l.running_mean, 0.1 * x.mean((0, 2, 3)))
    before = model.l.running_mean.clone()
    model.eval()(x, label)
    assert torch.equal(before, model.l.running_mean)


@pytest.mark.parametrize(
    ("kind", "entry", "wanted"),
    [
        ("ReLU6", {}, lambda x: x.clamp(0, 6)),
        ("GELU", {}, lambda x: x * 0.5 * (1 + torch.erf(x / 2**0.5))),
        ("GELU", {"gelu_param": {"approximate": "tanh"}}, lambda x: F.gelu(x, approximate="tanh")),
        ("SiLU", {}, lambda x: x * torch.sigmoid(x)),
        ("HardSwish", {}, lambda x: x * (x + 3).clamp(0, 6) / 6),
        ("HardSigmoid", {}, lambda x: (x / 6 + 0.5).clamp(0, 1)),
        ("HardSigmoid", {"hard_sigmoid_param": {"alpha": 0.2}}, lambda x: (x / 5 + .5).clamp(0, 1)),
        ("Mish", {}, lambda x: x * torch.tanh(torch.log1p(torch.exp(x)))),
        ("Softplus", {"softplus_param": {"beta": 2}}, lambda x: torch.log1p(torch.exp(2 * x)) / 2),
        ("Softsign", {}, lambda x: x / (1 + x.abs())),
        ("LogSoftmax", {}, lambda x: torch.softmax(x, 1).log()),
        ("GLU", {}, lambda x: x[:, :3] * torch.sigmoid(x[:, 3:])),
        ("Maxout", {}, lambda x: torch.maximum(x[:, :3], x[:, 3:])),
        ("Maxout", {"maxout_param": {"pieces": 3}}, lambda x: torch.stack(x.split(2, 1)).amax(0)),
    ],
)  # fmt: skip
def test_activations(make: Any, kind: str, entry: dict[str, Any], wanted: Any) -> None:
    x = 3 * torch.randn(4, 6, 5, 2)
    close(make(kind, X4, **entry)(x), wanted(x))


def test_clip_in_place_passes_every_gradient_as_caffe_does(make: Any) -> None:
    for top, share in (("y", 1), ("x0", 3)):
        model = make("Clip", [3], top=top, clip_param={"min": -1, "max": 1})
        x = torch.tensor([-2.0, 0.5, 2.0], requires_grad=True)
        y = model(x)
        close(y, torch.tensor([-1.0, 0.5, 1.0]))
        y.sum().backward()
        assert float(x.grad.sum()) == share


def test_dropout_that_scales_in_test(make: Any) -> None:
    model = make("Dropout", ["N"], dropout_param={"dropout_ratio": 0.25, "scale_train": False})
    x = torch.ones(10_000)
    y = model(x)
    assert set(y.unique().tolist()) <= {0.0, 1.0} and 0.72 < float(y.mean()) < 0.78
    close(model.eval()(x), 0.75 * x)


def test_stochastic_depth(make: Any) -> None:
    x = torch.ones(4000, 3)
    y = make("StochasticDepth", ["N", 3], stochastic_depth_param={"drop_ratio": 0.2})(x)
    assert torch.equal(y.amin(1), y.amax(1))
    assert 0.77 < float((y[:, 0] > 0).float().mean()) < 0.83
    close(y[y > 0], torch.full_like(y[y > 0], 1.25))
    param = {"drop_ratio": 0.5, "mode": "batch"}
    model = make("StochasticDepth", ["N", 3], stochastic_depth_param=param)
    assert {float(model(x).mean()) for _ in range(30)} == {0.0, 2.0}
    assert model.eval()(x) is x


def test_gaussian_sample_and_noise(make: Any) -> None:
    mu, logvar = torch.full((20_000,), 3.0), torch.full((20_000,), 2.0).log() * 2
    model = make("GaussianSample", ["N"], ["N"])
    y = model(mu, logvar)
    assert abs(float(y.mean()) - 3) < 0.06 and abs(float(y.std()) - 2) < 0.05
    assert torch.equal(model.eval()(mu, logvar), mu)
    x = torch.randn(2, 3, 50, 50)
    noise = make("NoiseFill", ["N", 3, "H", "W"], noise_fill_param={"num_channels": 2}).eval()
    y = noise(x)
    assert y.shape == (2, 5, 50, 50) and torch.equal(y[:, :3], x)
    assert 0.48 < float(y[:, 3:].mean()) < 0.52 and not torch.equal(y, noise(x))


WEIGHTED = [
    ("Convolution", "convolution_param", {"num_output": 8, "kernel_size": 3}, 6 * 9),
    ("Deconvolution", "convolution_param", {"num_output": 8, "kernel_size": 4, "group": 2}, 3 * 16),
    ("DepthwiseConvolution", "convolution_param", {"kernel_size": 3}, 9),
    ("InnerProduct", "inner_product_param", {"num_output": 7}, 6 * 64),
    ("InnerProduct", "inner_product_param", {"num_output": 7, "transpose": True}, 6 * 64),
]


def agrees(model: nn.Module, file: Any) -> None:
    """Compare the weights and state the checker knows with the module's."""
    (node,) = netspec.load(str(file)).layers
    ours = {f"l.{t.name}": tuple(t.shape) for t in (*node.weights, *node.state)}
    assert ours == {key: tuple(value.shape) for key, value in model.state_dict().items()}


@pytest.mark.parametrize(("kind", "message", "param", "inputs"), WEIGHTED)
def test_spectral_norm(
    make: Any, tmp_path: Any, kind: str, message: str, param: dict[str, Any], inputs: int
) -> None:
    filler = {"type": "uniform", "min": -3, "max": 3}
    param = param | {"spectral_norm": True, "weight_filler": filler}
    model = make(kind, ["N", 6, 8, 8], phase="test", **{message: param})
    agrees(model, tmp_path / "net.yaml")
    axis = 1 if kind == "Deconvolution" or "transpose" in param else 0
    stored = model.l.parametrizations.weight.original
    assert float(stored.detach().abs().max()) > 2, "the filler fills what is stored"
    model.train()
    for _ in range(50):
        model(torch.randn(2, 6, 8, 8)).sum().backward()
    largest = torch.linalg.matrix_norm(model.l.weight.detach().movedim(axis, 0).flatten(1), 2)
    assert abs(float(largest) - 1) < 1e-2
    assert stored.grad is not None
    assert all("_u" not in name and "_v" not in name for name, _ in model.named_parameters())


@pytest.mark.parametrize(("kind", "message", "param", "inputs"), WEIGHTED)
def test_equalized_rate(
    make: Any, tmp_path: Any, kind: str, message: str, param: dict[str, Any], inputs: int
) -> None:
    model = make(kind, ["N", 6, 8, 8], **{message: param | {"equalized_lr": True}})
    agrees(model, tmp_path / "net.yaml")
    stored = model.l.parametrizations.weight.original
    close(model.l.weight, stored * (2 / inputs) ** 0.5)
    assert 0.7 < float(stored.detach().std()) < 1.3


def test_embed_with_attributes(make: Any) -> None:
    param = {"input_dim": 40, "num_output": 30}
    spectral = make("Embed", ["N"], embed_param=param | {"spectral_norm": True})
    for _ in range(30):
        spectral(torch.tensor([1.0, 3.0]))
    assert abs(float(torch.linalg.matrix_norm(spectral.l.weight.detach(), 2)) - 1) < 0.02


def test_both_attributes_are_refused(make: Any) -> None:
    param = {"num_output": 7, "spectral_norm": True, "equalized_lr": True}
    with pytest.raises(netspec.SpecError) as refused:
        make("InnerProduct", ["N", 6], inner_product_param=param)
    assert [each.code.id for each in refused.value.diagnostics] == ["E407"]
