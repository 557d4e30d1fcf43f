# ruff: noqa: E501 - specs stand on the lines they are shown with
from __future__ import annotations

import gc
from pathlib import Path

import pytest

import netspec
from netspec.diagnostics import Report
from netspec.expand import Choice
from netspec.pipeline import compile_net, open_spec
from tests.texts import X, load, refused

TEXT = X + "layers: [{name: a, type: ReLU}]"


def test_the_stages_run_in_order_and_none_on_what_an_earlier_one_rejected(tmp_path):
    assert refused(tmp_path, "a: [")[0].code.id == "E104"
    assert [d.code.id for d in refused(tmp_path, "a: 1\nlayers: 3")] == ["E201", "E203"]
    both = X + "layers: [{name: a, type: Rel}, {name: c, type: Convolution, bottom: x, " \
               "convolution_param: {num_output: 2, kernel_size: 9}}]"  # fmt: skip
    assert [d.code.id for d in refused(tmp_path, both)] == ["E206", "E403"]


def test_a_path_may_be_any_path(tmp_path):
    load(tmp_path, TEXT)
    assert netspec.load(tmp_path / "net.yaml").name == netspec.load(str(tmp_path / "net.yaml")).name


@pytest.mark.parametrize("name", ["none.yaml", ".", "a\0b.yaml"])
def test_a_file_that_cannot_be_read(tmp_path, name):
    with pytest.raises(netspec.SpecError) as caught:
        netspec.load(str(tmp_path) + "/" + name + ("" if name.endswith("yaml") else "/x.yaml"))
    assert caught.value.diagnostics[0].code.id == "E100"


def test_the_collector_is_as_it_was(tmp_path):
    assert gc.isenabled()
    load(tmp_path, TEXT)
    refused(tmp_path, "a: [")
    assert gc.isenabled()
    gc.disable()
    try:
        load(tmp_path, TEXT)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_one_spec_gives_a_net_for_each_choice(tmp_path):
    load(tmp_path, TEXT)
    report = Report()
    spec, scale = open_spec(str(tmp_path / "net.yaml"), report)
    assert scale is None
    first, second = (
        compile_net(spec, Choice(phase), report, {}, {}) for phase in ("test", "train")
    )
    assert (first.phase, second.phase) == ("test", "train")
    assert first.flat.nodes[0] is not second.flat.nodes[0]


def test_two_loads_say_the_same(tmp_path):
    text = X + "layers: [{name: a, type: Rel}, {name: b, type: Convolution}]"
    first = [found.render() for found in refused(tmp_path, text)]
    assert first == [found.render() for found in refused(tmp_path, text)]


def test_the_order_of_keys_does_not_matter(tmp_path):
    a = load(tmp_path, "inputs: {x: [2, 4]}\nvars: {n: 3}\nlayers: [{name: f, type: InnerProduct, "
             "inner_product_param: {num_output: $n}}]")  # fmt: skip
    b = load(tmp_path, "layers: [{inner_product_param: {num_output: $n}, type: InnerProduct, name: f}]\n"
             "vars: {n: 3}\ninputs: {x: [2, 4]}")  # fmt: skip
    assert a.summary() == b.summary()


def test_the_first_spec_of_the_language_is_lenet(tmp_path):
    text = (Path(__file__).parent / "lenet.yaml").read_text()
    net = load(tmp_path, text)
    assert net.params.total == 431_080
    assert {name: str(blob) for name, blob in net.outputs.items()} == {"prob": "Nx10"}
    assert load(tmp_path, text, classes=5).outputs["prob"].shape[1] == 5
    assert list(load(tmp_path, text, phase="train").inputs) == ["data", "label"]
