"""netspec check: variants, formats, the JSON contract and expectations."""

import json

import pytest

from netspec.cli import main

SMALL = """\
name: Small
vars: {classes: 10}
inputs: {data: [N, 3, H, 8]}
layers:
  - {name: conv, type: Convolution, convolution_param: {num_output: 4, kernel_size: 3, pad: 1}}
  - {name: relu, type: ReLU, top: conv}
  - {name: pool, type: Convolution, bottom: conv, param: [{lr_mult: 0}, {lr_mult: 1}],
     convolution_param: {num_output: $classes, kernel_size: 1}}
"""
PHASED = """\
name: Phased
inputs:
  data: [N, 6]
  target: [N, 2]
layers:
  - {name: fc, type: InnerProduct, bottom: data, inner_product_param: {num_output: 2}}
  - {name: extra, type: InnerProduct, bottom: fc, inner_product_param: {num_output: 3},
     include: [{phase: TRAIN}]}
  - {name: sum, type: Eltwise, bottom: [fc, target], include: [{phase: TRAIN}]}
"""
SCALED = """\
name: Scaled
vars: {width: ~}
scales: {s: {width: 4}, m: {width: 8}}
inputs: {data: [N, 6]}
layers:
  - {name: fc, type: InnerProduct, inner_product_param: {num_output: $width}}
"""
MERGE = """\
name: Merge
inputs: {data: [1, 1, H, W]}
layers:
  - {name: a, type: Convolution, bottom: data,
     convolution_param: {num_output: 1, kernel_size: 2, stride: 2}}
  - {name: b, type: Convolution, bottom: data,
     convolution_param: {num_output: 1, kernel_size: 3, stride: 2, pad: 1}}
  - {name: add, type: Eltwise, bottom: [a, b]}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text, name="net.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        return name

    return write


@pytest.fixture
def check(capsys):
    def check(*argv):
        code = main(["check", *argv])
        return code, capsys.readouterr().out

    return check


@pytest.fixture
def document(check):
    def document(*argv):
        code, text = check(*argv, "--format", "json")
        return code, json.loads(text)

    return document


def variants(document):
    return [
        (each["phase"], each["scale"], *each["stages"]) for each in document["specs"][0]["variants"]
    ]


def codes(document):
    return [found["code"] for found in document["diagnostics"]]


# the JSON contract


def test_the_json_contract(write, document):
    code, found = document(write(SMALL), "--at", "H=8")
    assert code == 0
    assert found == {
        "netspec": 1,
        "specs": [
            {
                "file": "net.yaml",
                "name": "Small",
                "variants": [
                    {
                        "phase": "test",
                        "scale": None,
                        "stages": [],
                        "params": {"total": 162, "trainable": 122, "frozen": 40, "buffers": 0},
                        "macs": "9472*N",
                        "inputs": {"data": ["N", 3, 8, 8]},
                        "outputs": {"pool": ["N", 10, 8, 8]},
                        "conditions": [],
                        "layers": [
                            {
                                "name": "conv",
                                "type": "Convolution",
                                "bottoms": ["data"],
                                "tops": [
                                    {"blob": "conv", "shape": ["N", 4, 8, 8], "dtype": "float32"}
                                ],
                                "weights": [
                                    {"name": "weight", "shape": [4, 3, 3, 3], "trainable": True},
                                    {"name": "bias", "shape": [4], "trainable": True},
                                ],
                                "macs": "6912*N",
                            },
                            {
                                "name": "relu",
                                "type": "ReLU",
                                "bottoms": ["conv"],
                                "tops": [
                                    {"blob": "conv", "shape": ["N", 4, 8, 8], "dtype": "float32"}
                                ],
                                "weights": [],
                                "macs": 0,
                            },
                            {
                                "name": "pool",
                                "type": "Convolution",
                                "bottoms": ["conv"],
                                "tops": [
                                    {"blob": "pool", "shape": ["N", 10, 8, 8], "dtype": "float32"}
                                ],
                                "weights": [
                                    {"name": "weight", "shape": [10, 4, 1, 1], "trainable": False},
                                    {"name": "bias", "shape": [10], "trainable": True},
                                ],
                                "macs": "2560*N",
                            },
                        ],
                    }
                ],
            }
        ],
        "diagnostics": [],
    }


def test_the_json_of_a_diagnostic(write, document):
    text = SMALL.replace("kernel_size: 1", "kernel_size: 1, stride: 0")
    column = text.splitlines()[7].index("0}}")
    code, found = document(write(text))
    assert code == 1
    assert found["specs"] == [{"file": "net.yaml", "name": "Small", "variants": []}]
    assert found["diagnostics"] == [
        {
            "code": "E204",
            "severity": "error",
            "message": "`stride: 0` must be at least 1",
            "file": "net.yaml",
            "range": {
                "start": {"line": 7, "character": column},
                "end": {"line": 7, "character": column + 1},
            },
            "hint": None,
            "related": [],
        }
    ]


def test_a_spec_that_cannot_be_read_has_no_name(write, document):
    code, found = document(write("layers: ["))
    assert code == 1
    assert found["specs"] == [{"file": "net.yaml", "name": None, "variants": []}]


def test_a_wrong_entry_hides_no_other_fault(write, document):
    wrong = SMALL.replace("pad: 1", "pda: 1").replace("bottom: conv", "bottom: cnov")
    code, found = document(write(wrong))
    assert code == 1
    assert codes(found) == ["E201", "E320"]


def test_the_json_of_conditions_and_symbols(write, document):
    code, found = document(write(MERGE))
    assert code == 0
    net = found["specs"][0]["variants"][0]
    assert [each["layer"] for each in net["conditions"]] == ["add", "add"]
    assert [each["counterexample"] for each in net["conditions"]] == [{"H": 3}, {"W": 3}]
    assert "first failure H=3" in net["conditions"][0]["text"]
    assert net["outputs"] == {"add": [1, 1, "floor(H/2)", "floor(W/2)"]}


def test_related_places(write, document):
    code, found = document(write(MERGE), "--at", "H=3,W=4")
    assert code == 1
    (found,) = found["diagnostics"]
    assert found["code"] == "E402"
    assert found["related"]
    assert {"message", "file", "range"} == found["related"][0].keys()


def test_shared_weights_are_listed_and_counted_once(write, document):
    spec = write(
        "inputs: {data: [1, 4]}\nlayers:\n"
        "  - {name: a, type: InnerProduct, inner_product_param: {num_output: 4, bias_term: false},"
        " param: {name: w}}\n"
        "  - {name: b, type: InnerProduct, inner_product_param: {num_output: 4, bias_term: false},"
        " param: {name: w}}\n"
    )
    net = document(spec)[1]["specs"][0]["variants"][0]
    assert net["params"]["total"] == 16
    assert [len(layer["weights"]) for layer in net["layers"]] == [1, 1]


# variants


def test_both_phases_where_a_rule_names_one(write, document):
    found = document(write(PHASED))[1]
    assert variants(found) == [("test", None), ("train", None)]
    assert variants(document("net.yaml", "--phase", "train")[1]) == [("train", None)]
    assert list(found["specs"][0]["variants"][0]["inputs"]) == ["data"]


def test_every_scale(write, document):
    found = document(write(SCALED))[1]
    assert variants(found) == [("test", "s"), ("test", "m")]
    assert variants(document("net.yaml", "--scale", "m")[1]) == [("test", "m")]


def test_an_unknown_scale_is_found(write, check):
    code, text = check(write(SCALED), "--scale", "mm")
    assert code == 1 and "did you mean `m`?" in text


STAGED = PHASED.replace("phase: TRAIN", "stage: big")


def test_stages_that_make_a_difference(write, document):
    assert variants(document(write(STAGED))[1]) == [("test", None), ("test", None, "big")]
    same = STAGED.replace("include: [{stage: big}]", "exclude: [{stage: none, phase: TRAIN}]")
    assert variants(document(write(same), "--phase", "test")[1]) == [("test", None)]
    assert variants(document(write(STAGED), "--stage", "big")[1]) == [("test", None, "big")]


def test_a_net_meant_with_a_stage_only(write, document):
    staged = (
        "inputs: {data: [1, 4]}\nlayers:\n"
        "  - {name: a, type: ReLU, bottom: data, top: x, include: [{stage: deploy}]}\n"
        "  - {name: b, type: ReLU, bottom: x}\n"
    )
    code, found = document(write(staged))
    assert (code, variants(found), codes(found)) == (0, [("test", None, "deploy")], [])
    wrong = staged.replace("bottom: data", "bottom: dat")
    code, found = document(write(wrong))
    assert code == 1 and set(codes(found)) == {"E320"}


def test_a_fault_in_one_stage_is_found(write, document):
    staged = (
        "inputs: {data: [1, 4]}\nlayers:\n"
        "  - {name: a, type: ReLU, bottom: data}\n"
        "  - {name: b, type: ReLU, bottom: typo, include: [{stage: deploy}]}\n"
    )
    code, found = document(write(staged))
    assert (code, variants(found), codes(found)) == (1, [("test", None)], ["E320"])


def test_a_diagnostic_of_several_variants_is_said_once(write, check, document):
    wrong = PHASED.replace("bottom: data", "bottom: dta")
    assert codes(document(write(wrong))[1]) == ["E320"]
    code, text = check("net.yaml")
    assert code == 1 and "= in:" not in text
    wrong = PHASED.replace("bottom: fc", "bottom: fcc")
    code, text = check(write(wrong))
    assert "= in: train" in text


def test_a_spec_is_read_once(write, check, monkeypatch):
    from netspec import pipeline

    calls = []
    real = pipeline.parse
    monkeypatch.setattr(pipeline, "parse", lambda *args: (calls.append(1), real(*args))[1])
    check(write(SCALED))
    assert calls == [1]


# options


def test_set_reads_yaml_values(write, document):
    net = document(write(SMALL), "--set", "classes=5", "--at", "H=8")[1]["specs"][0]["variants"][0]
    assert net["outputs"]["pool"][1] == 5
    assert document("net.yaml", "--set", "classes='5'")[0] == 1
    assert codes(document("net.yaml", "--set", "clases=5")[1])[0].startswith("E3")


def test_shape_and_at(write, document):
    found = document(write(SMALL), "--shape", "data=2,3,H,16", "--at", "H=4")[1]
    assert found["specs"][0]["variants"][0]["outputs"] == {"pool": [2, 10, 4, 16]}


def test_unknown_symbols_and_inputs(write, document):
    assert codes(document(write(SMALL), "--at", "Q=4")[1]) == ["W336"]
    assert codes(document("net.yaml", "--shape", "dta=1,2")[1]) == ["E335"]
    (found,) = document("net.yaml", "--at", "Q=4")[1]["diagnostics"]
    assert found["hint"] == "it has: N, H"


def test_files_folders_and_patterns(write, document):
    write(SMALL, "a.yaml")
    write(SMALL, "sub/b.yaml")
    write("just: data\n", "sub/c.yaml")

    def files(*argv):
        return [spec["file"] for spec in document(*argv)[1]["specs"]]

    assert files("a.yaml", "a.yaml") == ["a.yaml"]
    assert files("sub") == ["sub/b.yaml"]
    assert files(".") == ["./a.yaml", "./sub/b.yaml"]
    assert files("**/*.yaml") == ["a.yaml", "sub/b.yaml", "sub/c.yaml"]
    (found,) = document("x*.yaml")[1]["diagnostics"]
    assert found["code"] == "E100"
    write("just: data\n", "none/c.yaml")
    assert "no spec is in this folder" in document("none")[1]["diagnostics"][0]["message"]


def test_standard_input(write, document, monkeypatch):
    import io
    import sys

    class Input:
        buffer = io.BytesIO(SMALL.encode())

    monkeypatch.setattr(sys, "stdin", Input)
    code, found = document("-")
    assert (code, found["specs"][0]["file"]) == (0, "<stdin>")


def test_shipped_names(document):
    code, found = document("zoo:linear_cifar10")
    assert (code, found["specs"][0]["variants"][0]["params"]["total"]) == (0, 30730)
    assert codes(document("zoo:linear_cifar")[1]) == ["E100"]
    assert len(document("zoo:*cifar10")[1]["specs"]) >= 3


# human


def test_the_human_table(write, check):
    code, text = check(write(SMALL), "--at", "H=8")
    assert code == 0
    assert (
        text
        == """\
Small: phase test
layer  type         output shape  weights   MACs
------------------------------------------------
data   input        Nx3x8x8
conv   Convolution  Nx4x8x8           112  6,912
relu   ReLU         Nx4x8x8
pool   Convolution  Nx10x8x8           50  2,560
------------------------------------------------
params    162 (122 trainable, 40 frozen), 0 buffers
MACs      9,472, FLOPs 18,944 (2 for each MAC) at N=1
memory    648 B weights, 3.5 KiB blobs at their peak
input     data  Nx3x8x8  float32
output    pool  Nx10x8x8  float32
sizes     N >= 1

ok: 1 spec, 1 net
"""
    )


def test_as_trained_and_as_deployed(write, check):
    text = check(write(PHASED))[1]
    assert "as trained  params 23, MACs 18" in text
    assert "as deployed params 14, MACs 12" in text
    assert "as trained" not in check("net.yaml", "--phase", "train")[1]


def test_conditions_are_told_and_are_no_findings(write, check):
    code, text = check(write(MERGE))
    assert code == 0
    assert "condition add: " in text and "first failure H=3" in text
    assert "sizes     H >= 2, W >= 2" in text
    code, text = check("net.yaml", "--at", "H=3")
    assert code == 1 and "error[E402]" in text


def test_quiet_says_findings_only(write, check):
    write(SMALL, "good.yaml")
    write(MERGE, "bad.yaml")
    code, text = check("good.yaml", "bad.yaml", "-q", "--at", "H=3")
    assert code == 1
    assert text.startswith("error[E402]")
    assert text.endswith("\n\n1 error: 1 of 2 specs wrong\n")


def test_blocks_fold(write, check):
    spec = write(
        "inputs: {data: [1, 1, 8, 8]}\n"
        "blocks:\n  pair:\n    inputs: [x]\n    layers:\n"
        "      - {name: a, type: Convolution, bottom: x,"
        " convolution_param: {num_output: 1, kernel_size: 3}}\n"
        "      - {name: b, type: ReLU}\n"
        "layers:\n  - {name: p, block: pair, repeat: 2}\n"
    )
    assert "p.1.a  Convolution" in check(spec)[1]
    rows = [line.split() for line in check(spec, "--depth", "1")[1].splitlines()]
    assert ["p", "4", "layers", "1x1x4x4", "20", "468"] in rows
    rows = [line.split() for line in check(spec, "--depth", "2")[1].splitlines()]
    assert ["p.1", "2", "layers", "1x1x4x4", "10", "144"] in rows


def test_colour_follows_the_environment(write, check, monkeypatch):
    spec = write(MERGE)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert check(spec, "--at", "H=3")[1].count("\x1b[1;31merror[E402]\x1b[0m") == 1
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in check(spec, "--at", "H=3")[1]


def test_hostile_names_are_printed_safely(write, check):
    code, text = check(write(SMALL.replace("name: Small", 'name: "a\\e[2Jb"')))
    assert code == 0 and text.startswith("a\\x1b[2Jb: phase test\n")


# other formats


def test_github(write, check):
    text = MERGE.replace("stride: 2, pad", "strid: 2, pad")
    column = text.splitlines()[6].index("strid") + 1
    spec = write(text, "a,b:c%.yaml")
    code, text = check(spec, "--format", "github")
    assert code == 1
    assert text == (
        "::error file=a%2Cb%3Ac%25.yaml,line=7,endLine=7,"
        f"col={column},endColumn={column + 5},title=E201::"
        "unknown key `strid` in `convolution_param`%0Adid you mean `stride`?\n"
        "netspec: 1 error in 1 spec\n"
    )


def test_sarif(write, check):
    code, text = check(write(MERGE), "--at", "H=3", "--format", "sarif")
    assert code == 1
    log = json.loads(text)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    (rule,) = run["tool"]["driver"]["rules"]
    (result,) = run["results"]
    assert rule["id"] == result["ruleId"] == "E402"
    assert result["ruleIndex"] == 0
    assert result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "net.yaml"}
    column = MERGE.splitlines()[7].index("b]") + 1
    region = {"startLine": 8, "startColumn": column, "endLine": 8, "endColumn": column + 1}
    assert place["region"] == region
    assert [each["id"] for each in result["relatedLocations"]] == list(
        range(len(result["relatedLocations"]))
    )
    assert json.loads(check("net.yaml", "--format", "sarif")[1])["runs"][0]["results"] == []


# expectations


def judged(write, document, expect, *argv, text=SMALL):
    code, found = document(write(f"{text}expect: {expect}\n"), *argv)
    assert code == (1 if found["diagnostics"] else 0)
    return found["diagnostics"]


@pytest.mark.parametrize(
    "expect",
    [
        "{params: 162, trainable: 122, frozen: 40, buffers: 0}",
        "{params: '<= 1k'}",
        "{params: '>= 0.1k'}",
        "{params: 100..0.2k}",
        "{params: '< 163'}",
        "{at: {H: 8}, macs: 9472}",
        "{macs: '1184*N*H'}",
        "{macs: '<= 10k', at: {H: 8, N: 1}}",
        "{at: {H: 8, N: 2}, macs: 18944}",
        "{at: {H: 8}, memory: '<= 5 KiB'}",
        "{at: {H: 8}, memory: 4232}",
        "{receptive_field: 3}",
        "{receptive_field: [3, '<= 4']}",
        "{outputs: {pool: [N, 10, H, 8]}}",
        "{at: {H: 8}, outputs: {pool: [N, 10, 8, 8]}}",
        "{input_sizes: {H: any}}",
        "[{scale: other, params: 1}, {include: {phase: TRAIN}, params: 1}]",
        "[{exclude: [{phase: TEST}], params: 1}]",
    ],
)
def test_met_expectations(write, document, expect):
    assert judged(write, document, expect) == []


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("{params: 163}", "expected params 163, found 162"),
        ("{params: '<= 161'}", "expected params <= 161, found 162"),
        ("{params: '< 162'}", "expected params < 162, found 162"),
        ("{params: '> 162'}", "expected params > 162, found 162"),
        ("{trainable: 162}", "expected trainable 162, found 122"),
        ("{frozen: 0}", "expected frozen 0, found 40"),
        ("{macs: 9472}", "expected macs 9,472, found 1184*H"),
        ("{at: {H: 8}, macs: 9473}", "expected macs 9,473, found 9,472"),
        ("{at: {H: 8}, memory: '<= 4 KiB'}", "expected memory <= 4 KiB, found 4,232"),
        ("{receptive_field: 5}", "expected receptive_field 5, found 3x3"),
        ("{outputs: {pool: [N, 11, H, 8]}}", "expected pool Nx11xHx8, found Nx10xHx8"),
        ("{outputs: {relu: [N]}}", "expected the output relu, found [pool]"),
    ],
)
def test_unmet_expectations(write, document, expect, said):
    (found,) = judged(write, document, expect)
    assert (found["code"], found["message"]) == ("E430", said)


def test_an_unmet_count_names_the_layers(write, document):
    (found,) = judged(write, document, "{params: 163}")
    assert [each["message"] for each in found["related"]] == [
        "`conv` has 112 weights", "`pool` has 50 weights",
    ]  # fmt: skip
    start = found["range"]["start"]
    line = (SMALL + "expect: {params: 163}\n").splitlines()[start["line"]]
    assert line[start["character"] :] == "163}"


@pytest.mark.parametrize(
    "expect",
    ["{params: lots!}", "{params: '<= 5Q'}", "{params: '<= 0.1'}", "{input_sizes: {H: '>= 0'}}",
     "{input_sizes: {H: 9..8}}", "{input_sizes: {H: multiple of}}", "{receptive_field: '<= x'}"],
)  # fmt: skip
def test_expectations_that_are_not_understood(write, document, expect):
    assert [found["code"] for found in judged(write, document, expect)] == ["E432"]


def test_exact_expectations_describe_the_file_as_written(write, document):
    assert judged(write, document, "{params: 162}", "--set", "classes=5") == []
    assert judged(write, document, "{at: {H: 8}, macs: 1}", "--shape", "data=1,3,4,4") == []
    assert judged(write, document, "{at: {H: 8}, macs: 1}", "--at", "H=4") == []
    assert len(judged(write, document, "{at: {H: 8}, macs: 1}", "--at", "H=8")) == 1
    assert len(judged(write, document, "{params: '<= 100'}", "--set", "classes=5")) == 1


@pytest.mark.parametrize(
    ("sizes", "failing"),
    [
        ("{H: multiple of 2, W: multiple of 2}", None),
        ("{H: 4, W: 6}", None),
        ("{H: multiple of 2 from 5, W: 2}", None),
        ("{H: '>= 2', W: 2}", "H=3"),
        ("{H: any, W: 2}", "H=1"),
        ("{H: 2..2, W: 4..9}", "W=5"),
        ("{H: 5, W: 2}", "H=5"),
        ("{H: multiple of 3}", "H=3"),
        ("{H: multiple of 32, W: '>= 32'}", "W=33"),
    ],
)
def test_input_sizes(write, document, sizes, failing):
    found = judged(write, document, f"{{input_sizes: {sizes}}}", text=MERGE)
    if failing is None:
        assert found == []
    else:
        assert [each["code"] for each in found] == ["E431"]
        assert failing in found[0]["message"]


def test_input_sizes_of_an_unknown_symbol(write, document):
    (found,) = judged(write, document, "{input_sizes: {Q: any}}")
    assert found["code"] == "E335"


def test_expectations_of_a_scale(write, document):
    expect = "[{scale: s, params: 28}, {scale: [m], params: 56}, {params: '<= 60'}]"
    assert judged(write, document, expect, text=SCALED) == []
    expect = "[{scale: s, params: 28}, {scale: m, params: 28}]"
    (found,) = judged(write, document, expect, text=SCALED)
    assert found["message"] == "expected params 28, found 56"
