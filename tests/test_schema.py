# ruff: noqa: E501 - specs stand on the lines they are shown with
from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from netspec import schema
from netspec.diagnostics import Report
from netspec.document import parse
from netspec.schema import ENTRY, SPEC, editor_schema, find_type, found_types, plainly, type_hint
from netspec.text import Source
from tests.texts import X, refusal, refused

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 70) | st.floats(-2, 2) | st.text("aT$", max_size=3)
    | st.sampled_from(["ReLU", "TEST", "MAX", "xavier", "STRICT", "float32"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["name", "type", "bottom", "dim", "phase", "num_output", "kernel_size",
                         "pool", "shape", "dtype", "lr_mult", "value", "axis"]), inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip
SCHEMAS = [ENTRY, schema.RULES, SPEC["properties"]["inputs"]] + [
    part
    for name in ("Convolution", "Pooling", "Input", "BatchNorm", "Eltwise", "Slice", "Reshape")
    for part in find_type(name).schemas().values()
]


@settings(max_examples=600, derandomize=True, deadline=None)
@given(st.sampled_from(SCHEMAS), VALUES)
def test_what_is_plainly_valid_is_valid_to_jsonschema(judged, value):
    if plainly(judged)(value):
        assert list(Draft202012Validator(judged).iter_errors(value)) == []


def test_plainly_knows_most_valid_values():
    convolution = plainly(find_type("Convolution").schemas()["convolution_param"])
    assert convolution({"num_output": 3, "kernel_size": [3, 5], "weight_filler": {"type": "msra"}})
    assert not convolution({"num_output": 0, "kernel_size": 3})
    assert not convolution({"kernel_size": 3})
    assert not plainly({"type": "string", "pattern": "a"})("a"), "a keyword it does not know"


def test_a_layer_schema_uses_no_alternatives():
    text = json.dumps([cls.schemas() for cls in found_types()])
    assert "oneOf" not in text and "anyOf" not in text


def test_the_editor_schema_is_a_schema_and_knows_every_type():
    made = editor_schema()
    Draft7Validator.check_schema(made)
    entry = made["definitions"]["entry"]
    assert {"Convolution", "ReLU"} <= set(entry["properties"]["type"]["anyOf"][0]["enum"])
    validator = Draft7Validator(made)
    conv = {"name": "c", "type": "Convolution"}
    good = {"layers": [conv | {"convolution_param": {"num_output": "$n", "kernel_size": 3}}]}
    assert list(validator.iter_errors(good)) == []
    for bad in (
        {"layers": [conv]},
        {"layers": [conv | {"convolution_param": {"num_output": 3, "kernal_size": 3}}]},
        {"layers": [{"name": "c", "type": "Convolutoin"}]},
        {"layerz": []},
    ):
        assert list(validator.iter_errors(bad)), bad


def test_a_type_is_found_by_its_exact_name():
    assert find_type("InnerProduct").__name__ == "InnerProduct"
    assert find_type("inner_product") is None
    assert find_type("__init__") is None
    assert find_type("../spec") is None


@pytest.mark.parametrize(
    ("value", "kinds", "hint"),
    [
        ("3", ["integer"], "quoted: remove the quotes"),
        ("1_000", ["integer"], "remove the `_`"),
        ("yes", ["boolean"], "write `true`"),
        ("off", ["boolean"], "write `false`"),
        ("true", ["boolean"], "quoted: remove the quotes"),
        ("x", ["integer"], ""),
        (3, ["string"], ""),
    ],
)
def test_a_common_slip_has_a_hint(value, kinds, hint):
    assert type_hint(value, kinds) == hint


def test_every_fault_is_reported_on_its_own_place(tmp_path):
    text = X + (
        "layers:\n"
        "  - {name: c, type: Convolution, convolution_param: {num_output: 0, kernal_size: 3}}\n"
        "  - {name: p, type: Pooling, pooling_param: {pool: MEAN, kernel_size: 2.5}}\n"
    )
    found = refused(tmp_path, text)
    assert [(d.code.id, d.span.text) for d in found] == [
        ("E204", "0"), ("E201", "kernal_size"), ("E205", "MEAN"), ("E203", "2.5"),
    ]  # fmt: skip


def test_text_with_a_variable_is_not_judged_before_it_is_known(tmp_path):
    text = (
        "vars: {n: 0}\n"
        + X
        + (
            "layers: [{name: c, type: Convolution, convolution_param: {num_output: $n, kernel_size: 3}}]"
        )
    )
    found = refusal(tmp_path, text)
    assert (found.code.id, found.message) == ("E204", "`num_output: 0` must be at least 1")


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("layers: []\ninput: {}", "E201", "input"),
        ("layers: {}", "E203", "{}"),
        ("name: x", "E202", "name"),
        ("netspec: 2\nlayers: []", "E208", "2"),
        ("layers: [3]", "E203", "3"),
        ("layers: []\n$ref: 'http://169.254.169.254/'", "E201", "$ref"),
    ],
)
def test_the_sections_of_a_spec_are_known(tmp_path, text, code, where):
    found = refusal(tmp_path, text)
    assert found.code.id == code and where in found.span.text


def test_a_key_for_notes_of_ones_own_is_let_be(tmp_path):
    report = Report()
    value = parse(Source("f", "x-mine: {a: [1]}\nlayers: []"), report).value
    assert not schema.judge(SPEC, value, parse(Source("f", "{}"), report), (), report, "the spec")


def test_a_list_of_the_wrong_length(tmp_path):
    report = Report()
    document = parse(Source("f", "a: [1]"), report)
    judged = {"properties": {"a": {"type": "array", "minItems": 2}}}
    assert schema.judge(judged, document.value, document, (), report, "here")
    (found,) = report.diagnostics
    assert (found.code.id, found.message) == ("E207", "`a` has 1 items, at least 2 are needed")
