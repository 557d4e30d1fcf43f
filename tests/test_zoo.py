from __future__ import annotations

import os

import pytest

import netspec
from netspec.diagnostics import Report
from netspec.document import parse, read
from netspec.zoo import files, find, folder, scales


def test_a_name_is_a_file_or_a_scale_of_one():
    report = Report()
    assert find("lenet_caffe", report) == (os.path.join(folder(), "lenet_caffe.yaml"), None)
    assert find("zoo:resnet50", report) == (os.path.join(folder(), "resnet.yaml"), "resnet50")


@pytest.mark.parametrize("name", files())
def test_scales_are_read_without_parsing_as_they_are_with_it(name):
    path = os.path.join(folder(), name)
    report = Report()
    value = parse(read(path, report), report).value
    assert scales(path) == list(value.get("scales") or {})


def test_no_two_specs_share_a_name():
    names = [name.removesuffix(".yaml") for name in files()]
    both = names + [scale for file in files() for scale in scales(os.path.join(folder(), file))]
    twice = {name for name in both if both.count(name) > 1}
    assert twice <= set(names), "a file may have a scale of its own name"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("zoo:resnet5O", "did you mean `zoo:resnet50`?"), ("zoo:qqqqq", "`netspec zoo` lists them"),
     ("zoo:../specs/resnet", ""), ("zoo:", "")],
)  # fmt: skip
def test_a_name_no_shipped_spec_has(name, hint):
    with pytest.raises(netspec.SpecError) as caught:
        netspec.load(name)
    (found,) = caught.value.diagnostics
    assert found.code.id == "E100" and found.hint.startswith(hint)
