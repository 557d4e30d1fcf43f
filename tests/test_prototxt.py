"""The reader of protobuf text format, and the check against Caffe's messages."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from netspec import diagnostics
from netspec.diagnostics import Report, SpecError
from netspec.importers import caffe_schema, caffe_values, prototxt
from netspec.text import Source

CORPUS = Path(os.environ.get("NETSPEC_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))

NET = """\
# a net
name: "n";
layer { name: 'x' type: "Input", top: ["x", "z"] input_param { shape: [{ dim: 2 }, < dim: 3 >] } }
layer {
  name: "c" "onv" # trailing
  type: "Convolution" bottom: "x" top: "y"
  convolution_param { num_output: 0x10 kernel_size: 03 kernel_size: 5 bias_term: f engine: 1 }
}
layer { name: "p" type: "Power" bottom: "y" top: "y"
  power_param { power: 2.f scale: - 1 shift: .5 } }
"""


def parse(text: str | bytes) -> prototxt.Document:
    data = text.encode() if isinstance(text, str) else text
    return prototxt.parse(prototxt.decode("net.prototxt", data))


def read(text: str, type: str = "NetParameter") -> tuple[caffe_values.Values, Report]:
    report = Report()
    return caffe_values.read(parse(text), type, report), report


def refused(text: str | bytes) -> str:
    with pytest.raises(SpecError) as caught:
        parse(text)
    (found,) = caught.value.diagnostics
    return str(found).removeprefix("net.prototxt:")


def faults(text: str, type: str = "NetParameter") -> list[str]:
    values, report = read(text, type)
    values.refuse_unknown(report)
    return [str(found).removeprefix("net.prototxt:") for found in report.diagnostics]


def layer(params: str) -> str:
    return f'layer {{ name: "l" {params} }}'


def test_values() -> None:
    values, report = read(NET)
    assert not report.diagnostics and not values.unknown
    assert values.root == {
        "name": "n",
        "layer": [
            {
                "name": "x",
                "type": "Input",
                "top": ["x", "z"],
                "input_param": {"shape": [{"dim": [2]}, {"dim": [3]}]},
            },
            {
                "name": "conv",
                "type": "Convolution",
                "bottom": ["x"],
                "top": ["y"],
                "convolution_param": {
                    "num_output": 16,
                    "kernel_size": [3, 5],
                    "bias_term": False,
                    "engine": "CAFFE",
                },
            },
            {
                "name": "p",
                "type": "Power",
                "bottom": ["y"],
                "top": ["y"],
                "power_param": {"power": 2.0, "scale": -1.0, "shift": 0.5},
            },
        ],
    }


def test_spans() -> None:
    values, _ = read(NET)
    kernel = ("layer", 1, "convolution_param", "kernel_size")
    assert values.span(*kernel, 1).text == "5"
    assert str(values.span(*kernel, 1)).endswith(":7:69")
    assert values.name_span(*kernel, 1).text == "kernel_size"
    assert values.span("layer", 0, "top", 1).text == '"z"'
    assert values.span("layer", 1, "name").text == '"c" "onv"'
    assert values.span("layer", 2, "power_param", "scale").text == "- 1"
    assert values.span("layer", 2).text == "{"
    assert values.name_span("layer", 2, "relu_param", "engine").text == "layer"
    assert values.span("layer", 9) == values.span("layer")


def test_comments() -> None:
    document = parse(NET)
    assert [document.source.text[a:b] for a, b in document.comments] == ["# a net", "# trailing"]


def test_line_ends_do_not_matter() -> None:
    for end in "\r\n", "\r", "\n\v\f\t":
        assert read(NET.replace("# a net\n", "").replace("# trailing\n", "").replace("\n", end))[
            0
        ].root == (read(NET)[0].root)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"\a\b\f\n\r\t\v\\\?\'\"", "\a\b\f\n\r\t\v\\?'\""),
        (r"\101\x41\X4a\7", "AAJ\7"),
        (r"\303\251", "é"),
        (r'\303" "\251', "é"),
        (r"\u00e9\U0001F600\ud83d\ude00", "é😀😀"),
        (r"\377", "\udcff"),
        (r"\777", "\udcff"),
        (r"\ud800", "\udced\udca0\udc80"),
        ("日本", "日本"),
    ],
)
def test_strings(text: str, value: str) -> None:
    assert parse(f'name: "{text}"').root.fields[0].value.value == value


@pytest.mark.parametrize(
    "text", [r"\q", r"\x", r"\u12", r"\U00110000", r"\8", "\\\n", "a\nb", "\0"]
)
def test_bad_strings(text: str) -> None:
    assert "E600" in refused(f'name: "{text}"')


def test_bytes_that_are_not_utf8() -> None:
    document = parse(b'name: "caf\xe9" # \xff')
    assert document.root.fields[0].value.value == "caf\udce9"
    report = Report()
    report.add(caffe_values.codes.UnknownField, document.name_span(document.root.fields[0]))
    diagnostics.render(report.diagnostics).encode()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.", 1.0),
        (".5", 0.5),
        ("1e5", 1e5),
        ("1.5F", 1.5),
        ("2f", 2.0),
        ("-0.25e-1f", -0.025),
        ("inf", float("inf")),
        ("-Infinity", float("-inf")),
        ("1e999", float("inf")),
        ("9" * 400, float("inf")),
        ("7", 7.0),
    ],
)
def test_numbers(text: str, value: float) -> None:
    values, report = read(f"base_lr: {text}", "SolverParameter")
    assert values.root["base_lr"] == value and not report.diagnostics


def test_nan() -> None:
    value = read("base_lr: -nan", "SolverParameter")[0].root["base_lr"]
    assert value != value


@pytest.mark.parametrize(
    "text", ["08", "0x", "1.5.2", "01.5", "1e", "4k", "0x1g", "1" * 2000, "-", "- a"]
)
def test_bad_numbers(text: str) -> None:
    assert "E600" in refused(f"base_lr: {text}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('layer { name: "x"', "1:18: error[E600]: the text ends, and `{` is not closed"),
        ("layer { }\n}", "2:1: error[E600]: `}` closes nothing"),
        ("layer { >", "1:9: error[E600]: expected `}`, found `>`"),
        ("name 4", "1:6: error[E600]: expected `:` after `name`, found `4`"),
        ('name: "l\ntype', "1:7: error[E600]: this string has no end on its line"),
        ("// no", "1:1: error[E600]: expected the name of a field, found `/`"),
        ("name: }", "1:7: error[E600]: expected a value for `name`, found `}`"),
        (
            "dim: [1, 2",
            "1:11: error[E600]: expected `,` or `]` in the list `dim`, found the end of",
        ),
        ("dim: [1,]", "1:9: error[E600]: expected a value for `dim`, found `]`"),
        ("dim [1]", "1:6: error[E600]: expected `:` after `dim`, found `1`"),
        ("a: 1;; b: 2", "1:6: error[E600]: expected the name of a field, found `;`"),
        ("é: 1", "1:1: error[E600]: unexpected character `é`"),
        ("a: 1 \x1b[0m", "1:6: error[E600]: unexpected character `\\x1b`"),
        ("[a.b: 1", "1:5: error[E600]: expected `]` after the name of an extension, found `:`"),
        ("layer { " * 10_000, "1:511: error[E110]"),
        ("a: 1 " * 400_001, "1:2000001: error[E601]: the prototxt has more than 400,000 fields"),
    ],
)
def test_syntax(text: str, message: str) -> None:
    assert refused(text).startswith(message)


def test_depth_that_is_allowed() -> None:
    assert parse("a { " * 63 + "}" * 63).root.fields[0].name == "a"


def test_odd_but_right() -> None:
    document = parse('[a.b/c] { } x: [] y: [1, 2], z < w: "" >; enum_: -inf')
    assert [field.name for field in document.root.fields] == [
        "[a.b/c]",
        "x",
        "y",
        "y",
        "z",
        "enum_",
    ]
    assert document.root.fields[1].value is None


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b"\xff\xd8\xff\xe0", "a JPEG image"),
        (b"<!DOCTYPE html>", "an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1", "a git-lfs pointer"),
        (bytes(range(32)) * 8, "binary data"),
    ],
)
def test_wrong_kind(data: bytes, kind: str) -> None:
    with pytest.raises(SpecError, match=f"E602.*is not a prototxt: it looks like {kind}"):
        prototxt.decode("f", data)


def test_too_large() -> None:
    with pytest.raises(SpecError, match="E103"):
        prototxt.decode("f", b" " * (prototxt.MAX_BYTES + 1))


def test_byte_order_mark_does_not_count() -> None:
    assert str(parse(b'\xef\xbb\xbfname: "n"').name_span(parse('name: "n"').root.fields[0])) == (
        "net.prototxt:1:1"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (layer("convolution_param { pad: -1 }"), "`pad: -1` must be from 0 to 4294967295"),
        (layer("convolution_param { pad: -0 }"), "`pad: -0` must be from 0 to 4294967295"),
        (layer("convolution_param { pad: 3.0 }"), "`pad` must be a whole number, not 3.0"),
        (layer("convolution_param { pad: 1e1 }"), "`pad` must be a whole number, not 1e1"),
        (layer("convolution_param { axis: 2147483648 }"), "`axis: 2147483648` must be from -21474"),
        (layer("convolution_param: 3"), "`convolution_param` must be a message, not 3"),
        (layer("convolution_param { bias_term: 2 }"), "`bias_term` must be true or false, not 2"),
        (layer("convolution_param { bias_term: TRUE }"), "`bias_term` must be true or false"),
        (layer("pooling_param { kernel_size: 2 kernel_size: 2 }"), "`kernel_size` holds one value"),
        (
            layer("pooling_param { kernel_size: [2] }"),
            "`kernel_size` must be one value, not a list",
        ),
        (layer("pooling_param { pool: max }"), "`pool: max` is not one of MAX, AVE, STOCHASTIC"),
        (layer("pooling_param { pool: 3 }"), "`pool: 3` is not one of MAX, AVE, STOCHASTIC"),
        (layer('pooling_param { pool: "MAX" }'), 'one of MAX, AVE, STOCHASTIC, not "MAX"'),
        (layer("pooling_param { } pooling_param { }"), "`pooling_param` holds one value"),
        (layer("type: RELU"), "`type` must be text in quotes, not RELU"),
        (layer('lrn_param { alpha: "1" }'), '`alpha` must be a number, not "1"'),
        (layer("lrn_param { alpha: 01 }"), "`alpha` must be a decimal number, not 01"),
        (layer("lrn_param { alpha: { } }"), "`alpha` must be a number, not a message"),
        (layer("clip_param { min: 1 }"), "`ClipParameter` has no `max`, and must have it"),
        (layer("include { phase: train }"), "`phase: train` is not one of TRAIN, TEST"),
        ('nmae: "a"', "1:1: error[E603]: `NetParameter` has no field `nmae`"),
        ("layer { param_str: [] }", "`LayerParameter` has no field `param_str`"),
        (
            "input_shape { dim: 99999999999999999999 }",
            "`dim: 99999999999999999999` must be from -9",
        ),
    ],
)
def test_types(text: str, found: str) -> None:
    (fault,) = faults(text)
    assert found in fault


def test_all_faults_in_order() -> None:
    text = "nmae: 1\nlayer { relu_param { slope: 2 } name: 3\n top: x }\nname: 4"
    assert [fault.split(":")[0] for fault in faults(text)] == ["2", "3", "4", "1", "2"]


def test_unknown_fields_are_kept() -> None:
    values, report = read(
        layer('type: "B" bn_param { frozen: true a: [1] a: 2 b { c: "x" } } bn_param { } mem: 1')
        + layer("pooling_param { engine: MKL2017 ceil_mode: false }")
    )
    assert not report.diagnostics
    assert [(found.type, found.field) for found in values.unknown] == [
        ("LayerParameter", "bn_param"),
        ("LayerParameter", "bn_param"),
        ("LayerParameter", "mem"),
        ("PoolingParameter", "engine"),
        ("PoolingParameter", "ceil_mode"),
    ]
    bn = {"frozen": "true", "a": [1, 2], "b": {"c": "x"}}
    assert values.root["layer"][0] == {"name": "l", "type": "B", "bn_param": [bn, {}], "mem": 1}
    assert values.root["layer"][1]["pooling_param"] == {"engine": "MKL2017", "ceil_mode": "false"}


def test_misspelling_has_a_hint() -> None:
    values, report = read("layer { convolution_params { } }")
    values.refuse_unknown(report)
    assert report.diagnostics[0].hint == "did you mean `convolution_param`?"


def test_old_layers() -> None:
    values, report = read(
        'layers { layer { name: "c" type: "conv" kernelsize: 3 blobs_lr: 1. } bottom: "x" }'
        "layers { type: RELU } layers { type: 39 }"
    )
    assert not report.diagnostics and not values.unknown
    assert [entry.get("type") for entry in values.root["layers"]] == [None, "RELU", "DECONVOLUTION"]


def test_schema_is_whole() -> None:
    caffe_schema.message("NetParameter")
    for name, fields in caffe_schema._MESSAGES.items():
        assert len({field.number for field in fields.values()}) == len(fields), name
        for field in fields.values():
            if field.type in caffe_schema.SCALARS:
                continue
            if not caffe_schema.is_enum(field.type):
                assert caffe_schema.message(field.type)
            elif field.default is not None:
                assert field.default in caffe_schema.enum(field.type)


def test_schema_facts() -> None:
    conv = caffe_schema.message("ConvolutionParameter")
    assert (conv["dilation"].number, conv["dilation"].repeated, conv["bias_term"].default) == (
        18,
        True,
        True,
    )
    assert caffe_schema.message("PoolingParameter")["round_mode"].default == "CEIL"
    assert caffe_schema.message("LayerParameter")["clip_param"].number == 148
    assert caffe_schema.words("LayerType")[39] == "DECONVOLUTION"
    assert len(caffe_schema.enum("LayerType")) == 40


def test_damaged_text_is_refused_or_read() -> None:
    chance = random.Random(7)
    alphabet = "{}<>[]:;,.-#\"'\\\n\0 0x1e+éa\udcff"
    for _ in range(3_000):
        text = list(NET)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(text))
            text[at : at + chance.randint(0, 3)] = chance.choice(alphabet)
        source = Source("net.prototxt", "".join(text))
        report = Report()
        try:
            caffe_values.read(prototxt.parse(source), "NetParameter", report)
        except SpecError as error:
            assert len(error.diagnostics) == 1
            str(error).encode()
        diagnostics.render(report.diagnostics).encode()


def test_corpus_agrees_with_protobuf() -> None:
    if not CORPUS.is_dir():
        pytest.skip(f"no corpus at {CORPUS}")
    checked = 0
    for row in json.loads((CORPUS / "index.json").read_text()):
        if row["bvlc_text_format"] is None:
            continue
        type = "SolverParameter" if row["kind"] == "solver" else "NetParameter"
        report = Report()
        try:
            source = prototxt.decode(row["file"], (CORPUS / row["file"]).read_bytes())
            caffe_values.read(prototxt.parse(source), type, report).refuse_unknown(report)
            accepted = not report.failed
        except SpecError:
            accepted = False
        assert accepted == row["bvlc_text_format"], (row["file"], row["bvlc_text_format_error"])
        checked += 1
    assert checked > 300
