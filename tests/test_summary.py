"""The table of a net, and what notebooks show."""

import pytest

import netspec
from netspec.net import Net
from netspec.summary import bundle, table

SPEC = """\
name: "<b>&Net"
inputs: {data: [N, 1, H, H]}
layers:
  - {name: conv, type: Convolution, convolution_param: {num_output: 2, kernel_size: 3}}
  - {name: fc, type: InnerProduct, inner_product_param: {num_output: 2}}
"""


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(SPEC)
    return netspec.load(str(path))


def test_symbolic_counts(net):
    text = table(net)
    assert "Nx2x(H-2)x(H-2)" in text
    assert "sizes     H >= 3, N >= 1" in text
    assert "memory" not in text  # not known before H is
    assert "FLOPs twice that" in text
    assert net.summary() == text


def test_every_line_is_aligned(net):
    lines = table(net).splitlines()
    rule = lines[2]
    assert set(rule) == {"-"}
    assert all(len(line) <= len(rule) for line in lines[1:6])


def test_costs_are_given_at_the_sizes_of_an_expectation(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(SPEC + "expect: {at: {H: 4}, macs: 88}\n")
    text = table(netspec.load(str(path)))
    assert "MACs      88, FLOPs 176 (2 for each MAC) at H=4, N=1" in text
    assert "memory" in text


def test_notebooks_get_text_and_escaped_html(net):
    found = bundle(net)
    assert found["text/plain"] == table(net)
    assert found["text/html"].startswith("<pre>&lt;b&gt;&amp;Net: phase test\n")
    assert net._repr_mimebundle_(include=None, exclude=None) == found


def test_notebooks_never_get_an_exception():
    found = bundle(object.__new__(Net))
    assert found["text/plain"].startswith("Net that cannot be shown: ")
    assert found["text/html"].startswith("<pre>Net that cannot")


def test_a_net_without_layers_or_weights(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text("inputs: {data: [1, 2]}\nlayers: []\noutputs: data\n")
    text = table(netspec.load(str(path)))
    assert "params    0 (0 trainable, 0 frozen), 0 buffers" in text
