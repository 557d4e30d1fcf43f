"""Specs with what is seldom meant, and exactly what --lint says. NETSPEC_BLESS=1 renews it."""

# ruff: noqa: E501 - specs stand on the lines they are shown with

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netspec import codes
from netspec.cli import main
from netspec.diagnostics import Code

FOLDER = Path(__file__).parent / "lints"
CASES = sorted(path.name for path in FOLDER.iterdir() if path.suffix != ".txt")
# edits of a case after which nothing is said: the cures that the hints name, and what is like the
# case and meant
NEAR_MISSES = [
    ("W801_zeros.yaml", "{value: 0}", "{value: 0.01}"),
    ("W801_zeros.yaml", "{type: constant}", "{type: xavier}"),
    # a sum leads past the first of them
    ("W801_zeros.yaml", "name: relu, type: ReLU", "name: sum, type: Eltwise, bottom: [data, fc1]"),
    ("W801_zeros.yaml", "{value: 0}}}", "{value: 0}}, param: {lr_mult: 0}}"),
    ("W801_caffe.prototxt", "num_output: 16", 'num_output: 16 weight_filler { type: "msra" }'),
    ("W801_caffe.prototxt", '"SoftmaxWithLoss"', '"Accuracy"'),
    ("W802_norm.yaml", "bias_term: true", "bias_term: false"),
    ("W802_norm.yaml", "scale_bias: true", "scale_bias: true, use_global_stats: true"),
    ("W802_norm.yaml", "type: BatchNorm, batch_norm_param: {scale_bias: true}", "type: GroupNorm, group_norm_param: {num_groups: 4}"),
    ("W802_norm.yaml", "name: relu, type: ReLU}", "name: add, type: Eltwise, bottom: [conv, norm]}"),
    ("W803_scale.yaml", "top: conv}", "top: conv, batch_norm_param: {scale_bias: true}}"),
    ("W803_scale.yaml", "name: relu, type: ReLU", "name: scale, type: Scale"),
    ("W803_scale.yaml", "type: ReLU", "type: Convolution, convolution_param: {num_output: 8, kernel_size: 1}"),
    ("W804_field.yaml", "16, 16]", "45, 45]"),
    ("W804_field.yaml", "16, 16]", "H, W]"),
    ("W804_field.yaml", "stride: 4, pad: 2", "stride: 1, pad: 2"),
    ("W805_unused.yaml", "outputs: prob", "outputs: [prob, best]"),
    ("W805_unused.yaml", "outputs: prob\n", ""),
    ("W806_untaught.yaml", "[fc, label]", "[aux, label]}\n  - {name: other, type: SoftmaxWithLoss, bottom: [fc, label]"),
    ("W806_untaught.yaml", "name: aux,", "name: aux, param: [{lr_mult: 0}, {lr_mult: 0}],"),
    ("W806_untaught.yaml", "  - {name: loss, type: SoftmaxWithLoss, bottom: [fc, label]}\n", ""),
    ("W807_in_place.yaml", "name: scale,", "name: scale, param: [{lr_mult: 0}, {lr_mult: 0}],"),
    ("W807_in_place.yaml", "bottom: conv, top: conv,", "bottom: conv, top: other,"),
    ("W807_in_place.yaml", "{lr_mult: 0}", "{lr_mult: 0.1}"),
    ("W808_frozen.yaml", "[{lr_mult: 0}, {lr_mult: 0}]", "[{lr_mult: 0}, {lr_mult: 1}]"),
    ("W808_frozen.yaml", "  - {name: loss, type: SoftmaxWithLoss, bottom: [fc, label]}\n", ""),
    ("W808_bare.yaml", "bottom: [data, goal]", "bottom: [data, goal], loss_weight: 0"),
    # nothing learns at all: the image does
    ("W808_bare.yaml", "name: fc,", "name: fc, param: [{lr_mult: 0}, {lr_mult: 0}],"),
    ("W809_checkerboard.yaml", "kernel_size: 5", "kernel_size: 4"),
    ("W809_checkerboard.yaml", "kernel_size: 5", "kernel_size: 6"),
    ("W809_checkerboard.yaml", "stride: 2", "stride: 1"),
    ("W809_checkerboard.yaml", "pad: 2", "pad: 2, weight_filler: {type: bilinear}"),
    ("W809_checkerboard.yaml", "name: up,", "name: up, param: [{lr_mult: 0}, {lr_mult: 0}],"),
    ("W810_gaps.yaml", "stride: 3", "stride: 2"),
    ("W810_gaps.yaml", "kernel_size: 2", "kernel_size: 3"),
    ("W810_gaps.yaml", "kernel_size: 2", "kernel_size: 1"),
    ("W810_gaps.yaml", "H, W]", "2, 2]"),
    ("W811_softmax.yaml", "[prob, label]", "[fc, label]"),
    ("W811_softmax.yaml", "type: Softmax}", "type: ReLU}"),
    ("W811_softmax.yaml", "type: SoftmaxWithLoss", "type: MultinomialLogisticLoss"),
    ("W811_sigmoid.yaml", "type: SigmoidCrossEntropyLoss", "type: EuclideanLoss"),
    ("W812_dropout.yaml", "type: Softmax", "type: InnerProduct, inner_product_param: {num_output: 4}"),
    ("W812_dropout.yaml", "name: drop, type: Dropout", "name: drop, type: ReLU"),
    ("W812_dropout.yaml", "  - {name: prob, type: Softmax}\n", "  - {name: sum, type: Eltwise, bottom: [drop, fc2]}\n"),
]  # fmt: skip


@pytest.fixture
def lint(capsys, monkeypatch):
    monkeypatch.chdir(FOLDER)  # file names in the texts are relative

    def lint(*argv):
        code = main(["check", "-q", "--lint", *argv])
        return code, capsys.readouterr().out

    return lint


@pytest.mark.parametrize("name", CASES)
def test_what_is_said(name, lint):
    code, text = lint(name)
    golden = FOLDER / f"{Path(name).stem}.txt"
    if os.environ.get("NETSPEC_BLESS"):
        golden.write_text(text, encoding="utf-8")
    assert (code, text) == (0, golden.read_text(encoding="utf-8"))
    found = [line for line in text.split("\n") if line.startswith("warning[")]
    assert len(found) == 1 and found[0].startswith(f"warning[{name[:4]}]: ")
    assert "?" not in found[0] and "  = help: " in text


@pytest.mark.parametrize(("name", "old", "new"), NEAR_MISSES)
def test_what_is_like_it_and_is_meant(name, old, new, lint, tmp_path, monkeypatch):
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / name
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert lint(str(path)) == (0, "")


def test_every_lint_has_a_case_and_a_near_miss():
    known = {c.id for c in vars(codes).values() if isinstance(c, type) and issubclass(c, Code)}
    known = {name for name in known if name.startswith("W8")}
    assert known == {name[:4] for name in CASES}
    assert {name for name, _, _ in NEAR_MISSES} == set(CASES)
    assert {path.stem for path in FOLDER.glob("*.txt")} == {Path(name).stem for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_said_unasked(name, monkeypatch, capsys):
    monkeypatch.chdir(FOLDER)
    assert main(["check", "-q", name]) == 0
    assert capsys.readouterr().out == ""


def test_lints_are_of_a_phase(lint, tmp_path):
    text = (FOLDER / "W806_untaught.yaml").read_text(encoding="utf-8")
    path = tmp_path / "net.yaml"
    path.write_text(text.replace("name: aux,", "name: aux, include: {phase: TEST},"))
    assert lint(str(path)) == (0, "")  # a test net is not trained
    path.write_text(text.replace("name: aux,", "name: aux, include: {phase: TRAIN},"))
    code, said = lint(str(path))
    assert code == 0 and "warning[W806]" in said and "  = in: train" in said


def test_a_size_may_be_what_is_wrong(lint, tmp_path):
    text = (FOLDER / "W804_field.yaml").read_text(encoding="utf-8")
    path = tmp_path / "net.yaml"
    path.write_text(text.replace("16, 16]", "H, W]"))
    assert lint(str(path)) == (0, "")
    assert lint(str(path), "--at", "H=45,W=45") == (0, "")
    assert "sees 45x45 of the 44x16 `image`" in lint(str(path), "--at", "H=44,W=16")[1]


def test_the_field_of_a_branch_is_the_smallest(lint, tmp_path):
    text = (FOLDER / "W804_field.yaml").read_text(encoding="utf-8")
    shortcut = text.replace("conv5, type: Convolution", "conv5, type: Convolution, bottom: conv2")
    path = tmp_path / "net.yaml"
    path.write_text(
        shortcut.replace("conv6", "sum, type: Eltwise, bottom: [conv4, conv5]}\n  - {name: conv6")
    )
    assert "`conv4` adds" in lint(str(path))[1] and "more like it" not in lint(str(path))[1]


def test_a_convolution_may_have_no_axes_to_slide_over(lint, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(
        "inputs: {data: [2, 3, 8]}\nlayers:\n"
        "  - {name: conv1, type: Convolution, convolution_param: {num_output: 4, kernel_size: 3}}\n"
        "  - {name: conv2, type: Convolution, convolution_param: "
        "{num_output: 4, axis: 2, kernel_size: 1}}\n"
    )
    assert lint(str(path)) == (0, "")


def test_an_output_is_read_by_the_caller(lint, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(
        "inputs: {data: [N, 3, H, W]}\noutputs: [conv, norm, relu]\nlayers:\n"
        "  - {name: conv, type: Convolution, convolution_param: {num_output: 8, kernel_size: 3}}\n"
        "  - {name: norm, type: BatchNorm}\n"
        "  - {name: relu, type: ReLU}\n"
    )
    assert lint(str(path)) == (0, "")


def test_warnings_may_count_or_be_allowed(lint):
    assert lint("W810_gaps.yaml", "--strict")[0] == 1
    assert lint("W810_gaps.yaml", "--strict", "--allow", "W810") == (0, "")
    assert lint("W810_gaps.yaml", "--strict", "--allow", "w802", "--allow", "W812")[0] == 1
    assert main(["check", "-q", "W810_gaps.yaml", "--strict"]) == 0


@pytest.mark.parametrize("text", ["W999", "E401", ""])
def test_only_a_warning_is_allowed(text, lint, capsys):
    assert main(["check", "W810_gaps.yaml", "--allow", text]) == 2
    assert f"`{text}` is no warning; there are W336, " in capsys.readouterr().err


def test_other_formats_carry_them(lint):
    import json

    (found,) = json.loads(lint("W810_gaps.yaml", "--format", "json")[1])["diagnostics"]
    assert (found["code"], found["severity"]) == ("W810", "warning")
    assert found["range"]["start"] == {"line": 2, "character": 83}
    sarif = json.loads(lint("W810_gaps.yaml", "--format", "sarif")[1])
    (result,) = sarif["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("W810", "warning")
    github = lint("W810_gaps.yaml", "--format", "github")[1]
    assert github.startswith("::warning file=W810_gaps.yaml,line=3,endLine=3,col=84,")


def test_the_zoo_says_only_what_is_true_of_the_published_nets(lint):
    """A bias before a norm, kernels of 3, 5 and 63 with strides of 2 and 32, large fields."""
    import json
    from collections import Counter

    found = json.loads(lint("zoo:*", "--format", "json")[1])["diagnostics"]
    assert Counter(each["code"] for each in found) == {
        "W802": 35, "W804": 5, "W805": 2, "W809": 6
    }  # fmt: skip


def test_a_chain_of_ten_thousand_layers_is_linted(lint, tmp_path):
    rows = "".join(
        f"  - {{name: c{n}, type: Convolution, convolution_param: {{num_output: 3, "
        f"kernel_size: 3, pad: 1}}}}\n  - {{name: n{n}, type: MVN}}\n"
        for n in range(5_000)
    )
    path = tmp_path / "net.yaml"
    path.write_text(f"inputs: {{data: [1, 3, 8, 8]}}\nlayers:\n{rows}")
    text = lint(str(path))[1]
    assert "5,001 warnings" in text and "(4995 more like it)" in text


def test_the_examples_say_nothing(lint):
    assert lint("../../examples/*.yaml") == (0, "")
