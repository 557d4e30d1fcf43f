from __future__ import annotations

import pytest

from netspec.diagnostics import Report
from netspec.document import parse
from netspec.spec import as_list, bad_name, holds_variables, validate
from netspec.text import Source
from tests.texts import X, refusal, refused


def spec_of(text):
    report = Report()
    made = validate(parse(Source("net.yaml", text), report), report)
    report.close()
    return made


def test_a_spec_is_a_mapping_with_layers():
    made = spec_of("name: a\nvars: {k: 1}\nlayers: [{name: r, type: ReLU}]\noutputs: r")
    assert (made.name, made.vars, made.outputs) == ("a", {"k": 1}, ["r"])
    assert type(made.typed["layers",][0]).__name__ == "ReLU"


def test_entries_that_say_the_same_are_one_layer():
    made = spec_of("layers: [{name: a, type: ReLU}, {name: b, type: ReLU}]")
    assert len(set(map(id, made.typed["layers",]))) == 1


def test_stages_and_phases_come_from_the_rules():
    made = spec_of(
        "blocks: {b: {layers: [{name: a, type: ReLU, exclude: {stage: [s, t]}}]}}\n"
        "layers: [{name: r, type: ReLU, include: {phase: TRAIN, not_stage: u}}]"
    )
    assert (made.stages(), made.phases()) == (["u", "s", "t"], ["TEST", "TRAIN"])
    assert spec_of("layers: []").phases() == ["TEST"]


def test_a_repeated_field_takes_one_value():
    assert (as_list(3), as_list([3])) == ([3], [3])


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ("a", False),
        ("$a", True),
        ([{"k": "x${1}"}], True),
        ("5$", False),
        ("a$$b", True),
        ({}, False),
    ],
)
def test_a_value_holds_variables_anywhere_inside(value, holds):
    assert holds_variables(value) is holds


@pytest.mark.parametrize(
    "name",
    ["conv1/3x3_reduce", "a b", "layer1.0.conv1", "pool5-drop", "x:0", "c@2", "(auto)", "#1", "0",
     "class", "forward", "a[0]", "x" * 128, "'; drop"],
)  # fmt: skip
def test_names_of_published_nets_are_names(name):
    assert bad_name(name) == ""


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "it is empty"),
        ("conv\n", "the character (U+000A) is not allowed in one"),
        ("conv\u0661", "the character `\u0661` (U+0661) is not allowed in one"),
        ("conv ", "it begins or ends with a space"),
        ("x" * 129, "it has 129 characters, and 128 are the most"),
        ('a"b', 'the character `"` (U+0022) is not allowed in one'),
        ("a\\", "the character `\\` (U+005C) is not allowed in one"),
        ("<b>", "the character `<` (U+003C) is not allowed in one"),
        ("a${b", "the character `$` (U+0024) is not allowed in one"),
        ("`a`", "the character (U+0060) is not allowed in one"),
        ("\x1b[2J", "the character (U+001B) is not allowed in one"),
    ],
)
def test_names_that_quote_escape_or_open_something_are_not(name, reason):
    assert bad_name(name) == reason


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("layers: [{name: 'a{b', type: ReLU}]", "'a{b'"),
        ("layers: [{name: a, type: Slice, top: [b, 'c<']}]", "'c<'"),
        ("blocks: {'a>': {layers: []}}\nlayers: []", "'a>'"),
        ("inputs: {'é': [3]}\nlayers: []", "'é'"),
        ("vars: {'a b': 3}\nlayers: []", "'a b'"),
        ("vars: {if: 3}\nlayers: []", "if"),
        ("scales: {s: {a-b: 3}}\nlayers: []", "a-b"),
        ("imports: {a.b: c.yaml}\nlayers: []", "a.b"),
        ("blocks: {b: {vars: {true_: 1, 'true': 1}, layers: []}}\nlayers: []", "'true'"),
    ],
)
def test_every_place_that_names_something_is_checked(tmp_path, text, span):
    found = refusal(tmp_path, text)
    assert (found.code.id, found.span.text) == ("E209", span)


@pytest.mark.parametrize(
    ("entry", "code", "span"),
    [
        ("{type: ReLU}", "E202", "{type: ReLU}"),
        ("{name: a}", "E202", "a"),
        ("{name: a, type: ReLU, block: b}", "E210", "block"),
        ("{name: a, type: ReLU, repeat: 2}", "E201", "repeat"),
        ("{name: a, type: ReLU, with: {}}", "E201", "with"),
        ("{name: a, type: ReLU, conv_param: {}}", "E201", "conv_param"),
        ("{name: a, type: Rel}", "E206", "Rel"),
        ("{name: a, type: Convolution}", "E202", "Convolution"),
        ("{name: a, type: ReLU, botom: x}", "E201", "botom"),
        ("{name: a, type: ReLU, include: {fase: TEST}}", "E201", "fase"),
    ],
)
def test_an_entry_that_is_wrong_in_itself(tmp_path, entry, code, span):
    found = refusal(tmp_path, f"{X}layers: [{entry}]")
    assert (found.code.id, found.span.text) == (code, span)


def test_what_is_wrong_elsewhere_is_found_in_the_same_run(tmp_path):
    text = X + (
        "layers:\n"
        "  - {name: a, type: Rel}\n"
        "  - {name: b, type: ReLU, bottom: nothing}\n"
        "  - {name: c, type: ReLU, bottom: a}\n"
    )
    assert [found.code.id for found in refused(tmp_path, text)] == ["E206", "E320"]


def test_a_whole_number_may_be_written_as_a_float():
    made = spec_of(
        "layers: [{name: a, type: InnerProduct, inner_product_param: {num_output: 3.0}}]"
    )
    layer = made.typed["layers",][0]
    assert layer.num_output == 3 and type(layer.num_output) is int
