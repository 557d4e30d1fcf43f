"""Layers that check accepted and that failed, or gave another shape; they run in both modes."""

from __future__ import annotations

import json

import pytest
import torch

import netspec
from tests.properties import oracle

ONE = {"x": [1, 4]}
CASES = [
    pytest.param("GroupNorm", {"x": [1, 2]}, {"group_norm_param": {"num_groups": 2}},
                 id="one element in each group"),
    pytest.param("InstanceNorm", {"x": [2, 3, 1, 1]}, {}, id="one pixel"),
    pytest.param("BN", ONE, {}, id="one value for each channel"),
    pytest.param("BatchNorm", ONE, {"batch_norm_param": {"scale_bias": True}},
                 id="one value for each channel, learned"),
    pytest.param("BatchNorm", ONE,
                 {"batch_norm_param": {"scale_bias": True, "use_global_stats": False}},
                 id="one value for each channel, by the batch"),
    pytest.param("ConditionalBatchNorm", {"x": [1, 4], "label": [1]},
                 {"conditional_batch_norm_param": {"num_classes": 2}},
                 id="one value for each channel, of a class"),
    pytest.param("BatchNorm", {"x": [3, 2, 5]}, {"batch_norm_param": {"eps": 0}}, id="eps 0"),
    pytest.param("BN", {"x": [3, 2, 5]}, {"bn_param": {"eps": 0}}, id="eps 0, learned"),
    pytest.param("DetectionOutput", {"x": [1, 4], "conf": [1, 1], "prior": [1, 2, 4]},
                 {"detection_output_param": {"num_classes": 1, "keep_top_k": 3}},
                 id="no class but the background"),
    pytest.param("RNN", {"x": [3, 2, 4], "cont": [3, 2], "static": [2]},
                 {"recurrent_param": {"num_output": 2}}, id="one static number"),
    pytest.param("LSTM", {"x": [3, 2], "cont": [3, 2], "static": [2]},
                 {"recurrent_param": {"num_output": 2}}, id="one number a step"),
    pytest.param("ArgMax", {"x": [3]}, {"argmax_param": {"out_max_val": True}}, id="one axis"),
    pytest.param("Axpy", {"a": [3, 8, 1], "x": [3, 8], "b": [3, 8]}, {}, id="more axes than x"),
    pytest.param("Pooling", {"x": [2, 4, 5, 8, 1]},
                 {"pooling_param": {"pool": "AVE", "kernel_size": [6, 5, 3], "stride": [2, 6, 2],
                                    "pad": [0, 0, 1]}},
                 id="a 3-D mean over the end"),
    pytest.param("Pooling", {"x": [2, 2, 1, 6, 6]},
                 {"pooling_param": {"pool": "AVE", "kernel_size": [2, 5, 2], "stride": [5, 5, 2],
                                    "pad": [1, 2, 0]}},
                 id="a 3-D mean larger than its input"),
    pytest.param("EuclideanLoss", {"x": [2, 3], "y": {"shape": [2, 3], "dtype": "bool"}}, {},
                 id="a truth of bools"),
    pytest.param("EuclideanLoss", {"x": [2, 3], "y": {"shape": [2, 3], "dtype": "float64"}}, {},
                 id="a truth of doubles"),
    pytest.param("SmoothL1Loss",
                 {"x": [2, 3], "y": [2, 3], "i": {"shape": [2, 3], "dtype": "float64"},
                  "o": {"shape": [2, 3], "dtype": "float64"}}, {}, id="weights of doubles"),
    pytest.param("PReLU", {"x": [2, 3]},
                 {"prelu_param": {"channel_shared": True, "filler": {"type": "xavier"}}},
                 id="xavier for one slope"),
    pytest.param("PReLU", {"x": [2, 3]},
                 {"prelu_param": {"channel_shared": True, "filler": {"type": "positive_unitball"}}},
                 id="positive_unitball for one slope"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "inputs", "messages"), CASES)
def test_it_runs_now(kind, inputs, messages):
    entry = {"name": "layer", "type": kind, "bottom": list(inputs), "top": ["top"], **messages}
    net = oracle.load(json.dumps({"name": "one", "inputs": inputs, "layers": [entry]}))
    feed = [
        torch.ones(blob.shape, dtype=getattr(torch, blob.dtype))
        if name != "label"
        else torch.zeros(blob.shape)
        for name, blob in net.inputs.items()
    ]
    oracle.run(net, feed)


def test_one_value_is_its_own_mean():
    text = "name: one\ninputs: {x: [1, 2]}\nlayers: [{name: bn, type: BN, bottom: x, top: y}]\n"
    model = netspec.build(oracle.load(text, phase="train"), outputs="y")
    with torch.no_grad():
        model.bn.bias.copy_(torch.tensor([3.0, 4.0]))
    assert model(torch.tensor([[5.0, 6.0]])).tolist() == [[3.0, 4.0]]
    assert torch.allclose(model.bn.running_mean, torch.tensor([0.5, 0.6]))
    assert torch.allclose(model.bn.running_var, torch.tensor([0.9, 0.9]))


@pytest.mark.parametrize("train", [False, True])
def test_one_pixel_becomes_the_offset(train):
    layer = "{name: norm, type: InstanceNorm, instance_norm_param: {affine: true}}"
    text = f"name: one\ninputs: {{x: [2, 2, 1, 1]}}\nlayers: [{layer}]\n"
    model = netspec.build(oracle.load(text))
    model.train(train)
    with torch.no_grad():
        model.norm.weight.copy_(torch.tensor([3.0, 4.0]))
        model.norm.bias.copy_(torch.tensor([5.0, 6.0]))
    x = torch.randn(2, 2, 1, 1, requires_grad=True)
    y = model(x)
    y.sum().backward()
    assert torch.allclose(y.flatten(), torch.tensor([5.0, 6.0, 5.0, 6.0]), atol=1e-3)
    assert model.norm.bias.grad.tolist() == [2.0, 2.0] and not x.grad.any()
    assert model.norm.weight.tolist() == [3.0, 4.0]


@pytest.mark.parametrize(
    ("shape", "params"),
    [
        ([5, 4, 7, 2], {"kernel_size": 1, "stride": 3, "pad": 1, "dilation": 3, "group": 4}),
        ([3, 4, 1, 1], {"kernel_size": 1, "stride": [2, 3], "pad": [0, 2], "dilation": [1, 3]}),
        ([2, 2, 1, 2], {"kernel_size": [3, 2], "stride": 3, "pad": 4, "dilation": [4, 3]}),
        ([1, 4, 7, 1], {"kernel_h": 1, "kernel_w": 2, "stride_h": 1, "stride_w": 4, "pad_h": 0,
                        "pad_w": 3, "dilation": [1, 2]}),
    ],
)  # fmt: skip
def test_steps_and_holes_over_channels_that_are_last(shape, params):
    layer = {"name": "conv", "type": "Convolution",
             "convolution_param": {"num_output": 8, **params}}  # fmt: skip
    model = netspec.build(
        oracle.load(json.dumps({"name": "one", "inputs": {"x": shape}, "layers": [layer]}))
    )
    _, c, h, w = shape
    x = torch.empty_strided(shape, (c * h * w, 1, c * w, c)).normal_()  # torch crashed on it
    plain = torch.zeros(shape).copy_(x)
    assert torch.allclose(model(x), model.conv(plain), atol=1e-5)
