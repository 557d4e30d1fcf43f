"""What lints say of gradients is what autograd does, on random nets."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

import netspec
from netspec.analysis.lints import CENTRING, lints
from tests.properties import graphs, oracle

NETS = 400
LINTS = Path(__file__).parent.parent / "lints"


def learns(node):
    return any(weight.trainable for weight in node.weights)


def nets():
    """Yield random train nets that have a loss and weights, and what the module of each gives."""
    for index in range(NETS):
        graph = graphs.graph(random.Random(f"gradients {index}"), least=4, most=12)
        net = oracle.load(graph.text(graph.sizes()), phase="train")
        nodes = net.flat.nodes
        if not any(map(learns, nodes)) or not any(node.layer.loss for node in nodes):
            continue
        if any(node.layer.family == "convolution" and len(node.tops) > 1 for node in nodes):
            continue  # each top depends on one bottom: lints take it to depend on all
        generator = torch.Generator().manual_seed(index)
        kinds = {blob.name: (blob, kind, limit) for blob, kind, limit in graph.inputs}
        model = oracle.eager(net, outputs="all").train()
        try:
            tops = model(*(oracle.data(*kinds[name], generator) for name in net.inputs))
        except RuntimeError:  # what it reads is too small for statistics of a batch
            continue
        yield net, model, tops


def test_lints_know_what_gets_a_gradient():
    counts = dict.fromkeys(("taught", "untaught", "teaching", "bare"), 0)
    for net, model, tops in nets():
        found = [(each.code.id, each.facts["layer"]) for each in lints(net)]
        loss = tops["loss"]
        if loss.requires_grad:
            loss.backward()
        text = net.spec.document.source.text
        for node in net.flat.nodes:
            if learns(node):
                own = [weight for name, weight in model.named_parameters()
                       if name.startswith(f"{node.name}.")]  # fmt: skip
                taught = any(weight.grad is not None for weight in own)
                assert (("W806", node.name) in found) is not taught, (text, node)
                counts["taught" if taught else "untaught"] += 1
            if node.layer.loss:
                teaching = tops[node.tops[0].name].requires_grad
                assert (("W808", node.name) in found) is not teaching, (text, node)
                counts["teaching" if teaching else "bare"] += 1
    assert min(counts.values()) > 30, counts


def of(net, code):
    """Return the one diagnostic of a code that lints say about a net."""
    (found,) = (each for each in lints(net) if each.code.id == code)
    return found


@pytest.mark.parametrize("kind", sorted(CENTRING - {"ConditionalBatchNorm"}))
def test_a_bias_before_a_norm_has_no_effect(kind):
    net = oracle.load(
        "inputs: {data: [4, 3, 6, 6]}\nlayers:\n"
        "  - {name: conv, type: Convolution, convolution_param: {num_output: 5, kernel_size: 3}}\n"
        f"  - {{name: norm, type: {kind}}}\n",
        phase="train",
    )
    assert of(net, "W802").facts["count"] == 5
    model, x = netspec.build(net).train(), torch.randn(4, 3, 6, 6)
    before = model(x)
    with torch.no_grad():
        model.conv.bias += torch.randn(5)
    torch.testing.assert_close(model(x), before, rtol=0, atol=2e-5)


def test_two_zeros_pass_neither_input_nor_gradient():
    net = oracle.load((LINTS / "W801_zeros.yaml").read_text(), phase="train", at={"N": 6})
    model, labels = netspec.build(net).train(), torch.arange(6)
    scores = netspec.build(net, outputs="fc2").train()(torch.randn(6, 8), labels)["fc2"]
    assert of(net, "W801").facts["other"] == "fc1"
    model(torch.randn(6, 8), labels)["loss"].backward()
    assert not model.fc1.weight.grad.any() and not model.fc1.bias.grad.any()
    assert torch.equal(scores, scores[:1].expand(6, 10))


@pytest.mark.parametrize(("kernel", "stride"), [(5, 2), (3, 2), (2, 3), (7, 4)])
def test_as_many_taps_meet_as_is_said(kernel, stride):
    net = oracle.load(
        "inputs: {data: [1, 1, 20]}\nlayers:\n  - {name: up, type: Deconvolution, "
        f"convolution_param: {{num_output: 1, kernel_size: {kernel}, stride: {stride}}}}}\n"
    )
    model = netspec.build(net)
    with torch.no_grad():
        model.up.weight.fill_(1)
        model.up.bias.fill_(0)
        met = model(torch.ones(1, 1, 20)).flatten()[kernel:-kernel].unique()
    facts = of(net, "W809").facts
    assert met.tolist() == [facts["few"], facts["many"]]
