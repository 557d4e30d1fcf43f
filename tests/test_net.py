# ruff: noqa: E501 - specs stand on the lines they are shown with
from __future__ import annotations

import sys

from tests.texts import X, load

TEXT = """\
name: small
inputs: {x: [N, 3, 8, 8], label: {shape: [N], dtype: int64}}
layers:
  - {name: conv, type: Convolution, bottom: x, param: [{lr_mult: 0}], convolution_param: {num_output: 4, kernel_size: 3}}
  - {name: bn, type: BatchNorm, batch_norm_param: {scale_bias: true}}
  - {name: fc, type: InnerProduct, inner_product_param: {num_output: 10}}
  - {name: loss, type: SoftmaxWithLoss, bottom: [fc, label], include: {phase: TRAIN}}
  - {name: prob, type: Softmax, bottom: fc, include: {phase: TEST}}
"""


def test_a_net_tells_its_choice_and_its_blobs(tmp_path):
    net = load(tmp_path, TEXT, phase="train", stages=["s"])
    assert (net.name, net.phase, net.scale, net.stages) == ("small", "train", None, ("s",))
    assert {name: str(blob) for name, blob in net.inputs.items()} == {"x": "Nx3x8x8", "label": "N"}
    assert net.inputs["label"].dtype == "int64"
    assert list(net.outputs) == ["loss"]
    assert list(load(tmp_path, TEXT).outputs) == ["prob"]


def test_counts_of_weights_are_exact(tmp_path):
    params = load(tmp_path, TEXT).params
    conv, bias, bn, fc = 4 * 3 * 9, 4, 8, 10 * 4 * 36 + 10
    assert params.total == conv + bias + bn + fc
    assert (params.frozen, params.trainable) == (conv, bias + bn + fc)
    assert params.buffers >= 8
    assert repr(params) == f"Params(total={params.total}, trainable={params.trainable}, frozen=108)"


def test_macs_are_those_of_the_whole_batch(tmp_path):
    net = load(tmp_path, TEXT, at={"N": 2})
    assert net.layers[0].macs == 2 * 4 * 36 * 27
    assert net.macs == sum(layer.macs for layer in net.layers)


def test_a_layer_is_shown_with_its_tops_and_weights(tmp_path):
    layer = load(tmp_path, TEXT).layers[0]
    assert (layer.name, layer.type, layer.bottoms) == ("conv", "Convolution", ["x"])
    assert repr(layer) == "conv (Convolution) -> conv: Nx4x6x6 float32"
    assert [(weight.name, weight.shape, weight.trainable) for weight in layer.weights] == [
        ("weight", (4, 3, 3, 3), False), ("bias", (4,), True),
    ]  # fmt: skip


def test_the_graph_has_layers_inputs_and_every_edge(tmp_path):
    net = load(
        tmp_path, X + "layers: [{name: r, type: ReLU}, {name: e, type: Eltwise, bottom: [r, r]}]"
    )
    graph = net.graph
    assert graph is net.graph
    assert set(graph) == {"x", "r", "e"}
    assert graph.nodes["x"]["type"] == "Input" and graph.nodes["r"]["type"] == "ReLU"
    assert sorted(graph.edges(keys=True)) == [
        ("r", "e", (0, 0)), ("r", "e", (0, 1)), ("x", "r", (0, 0)),
    ]  # fmt: skip
    assert str(graph.edges["r", "e", (0, 1)]["shape"][2]) == "8"


def test_a_summary_is_a_table_of_the_layers(tmp_path):
    text = load(tmp_path, TEXT).summary()
    assert all(word in text for word in ("conv", "Convolution", "Nx4x6x6", "prob"))


def test_a_net_is_shown_without_networkx(tmp_path):
    import subprocess

    load(tmp_path, TEXT)
    code = ("import sys, netspec\nnet = netspec.load(sys.argv[1])\nprint(repr(net)); net.summary()\n"
            "assert not {'networkx', 'torch', 'numpy'} & set(sys.modules)")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "net.yaml")],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.stdout == "<Net small: 4 layers, 1570 params>\n" and not done.stderr
