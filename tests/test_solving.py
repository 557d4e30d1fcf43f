"""The solver section: what is refused, and where; what it may say."""

from __future__ import annotations

import pytest

import netspec

REST = "inputs: {data: [1, 2]}\nlayers: [{name: relu, type: ReLU}]\nsolver:\n  "
WRONG = [
    ("lr_policy: step\n  gamma: ~\n  stepsize: 5", 5, "`gamma: ~`", "must be a number"),
    ("lr_policy: step\n  stepsize: ~", 5, "`stepsize: ~`", "must be a whole number"),
    ("lr_policy: fixed\n  base_lr: true", 5, "`base_lr: true`", "must be a number"),
    ("lr_policy: fixed\n  iter_size: 1.5", 5, "`iter_size: 1.5`", "must be a whole number"),
    ("lr_policy: fixed\n  iter_size: 0", 5, "`iter_size: 0`", "must be at least 1"),
    ("base_lr: 0.1", 4, "`lr_policy: ~`", "must be one of fixed, step, exp"),
    ("lr_policy: linear", 4, "`lr_policy: linear`", "is not one of fixed, step, exp"),
    ("lr_policy: fixed\n  type: adam", 5, "`type: adam`", "is not one of SGD, Nesterov"),
    ("lr_policy: exp\n  gamma: -1", 5, "`gamma: -1`", "must be at least 0"),
    ("lr_policy: step", 4, "`stepsize: 0`", "must be at least 1 for the policy step"),
    ("lr_policy: poly", 4, "`max_iter: 0`", "must be at least 1 for the policy poly"),
    ("lr_policy: multistep\n  stepvalue: ~", 5, "`stepvalue: ~`", "must be whole numbers"),
    ("lr_policy: multistep\n  stepvalue: [1, x]", 5, "`stepvalue: [1, x]`", "whole numbers"),
    ("lr_policy: multistep\n  stepvalue: {a: 1}", 5, "`stepvalue: a mapping`", "whole numbers"),
    ("lr_policy: fixed\n  type: AdaGrad\n  momentum: 0.9", 6, "`momentum: 0.9`", "AdaGrad"),
    ("lr_policy: fixed\n  type: RMSProp\n  momentum: 0.9", 6, "`momentum: 0.9`", "RMSProp"),
    ("lr_policy: fixed\n  type: RMSProp\n  rms_decay: 1", 6, "`rms_decay: 1`", "less than 1"),
]


@pytest.fixture
def load(tmp_path):
    def load(solver):
        path = tmp_path / "net.yaml"
        path.write_text(REST + solver + "\n", encoding="utf-8")
        return netspec.load(str(path))

    return load


@pytest.mark.parametrize(("solver", "line", "what", "why"), WRONG)
def test_what_caffe_refuses(solver, line, what, why, load):
    with pytest.raises(netspec.SpecError) as caught:
        load(solver)
    (found,) = caught.value.diagnostics
    assert found.code.id == "E629" and found.span.as_lsp()["start"]["line"] + 1 == line
    assert found.message.startswith(f"{what} of the solver") and why in found.message


@pytest.mark.parametrize(
    "solver",
    [
        "{lr_policy: multistep, stepvalue: 5}",
        "{lr_policy: multistep, stepvalue: [5, 9]}",
        "{lr_policy: multistep}",
        "{lr_policy: inv, gamma: 0, power: -1, base_lr: 1}",
        "{lr_policy: fixed, type: RMSProp, rms_decay: 0}",
    ],
)
def test_what_caffe_takes(solver, load):
    assert load(solver).spec.solver["lr_policy"] in solver
