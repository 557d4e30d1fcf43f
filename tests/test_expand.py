# ruff: noqa: E501 - specs stand on the lines they are shown with
from __future__ import annotations

import pytest

from netspec.expand import within
from tests.texts import X, ends, load, refusal, refused, shapes, wires, work

CONV = "{name: c, type: Convolution, convolution_param: {num_output: $out, kernel_size: 1}}"
BLOCK = f"blocks: {{b: {{vars: {{out: ~}}, layers: [{CONV}]}}}}\n"
DENSE = "{name: fc, type: InnerProduct, inner_product_param: {num_output: $n}}"
RELU = "blocks: {b: {layers: [{name: r, type: ReLU}]}}\n"


# implied wiring


def test_a_bottom_left_out_is_the_top_of_the_entry_before(tmp_path):
    net = load(tmp_path, X + "layers: [{name: a, type: ReLU}, {name: b, type: ReLU, top: t}, "
               "{name: c, type: ReLU}]")  # fmt: skip
    assert wires(net) == {"a": ["x"], "b": ["a"], "c": ["t"]}
    assert list(net.outputs) == ["c"]


def test_at_the_start_it_is_the_only_input(tmp_path):
    found = refusal(tmp_path, "inputs: {x: [1], y: [1]}\nlayers: [{name: a, type: ReLU}]")
    assert (found.code.id, found.span.text) == ("E327", "a")
    assert "the net has 2 inputs: x, y" in found.message


def test_at_the_start_it_is_the_only_input_that_no_entry_names(tmp_path):
    net = load(tmp_path, "inputs: {x: [2, 3], t: {shape: [2], dtype: int64}}\nlayers: "
               "[{name: a, type: ReLU}, {name: l, type: SoftmaxWithLoss, bottom: [a, t]}]")  # fmt: skip
    assert wires(net) == {"a": ["x"], "l": ["a", "t"]}


def test_it_passes_over_entries_of_another_phase(tmp_path):
    text = X + ("layers: [{name: a, type: ReLU}, {name: d, type: Sigmoid, include: {phase: TRAIN}},"
                " {name: b, type: ReLU}]")  # fmt: skip
    assert wires(load(tmp_path, text)) == {"a": ["x"], "b": ["a"]}
    assert wires(load(tmp_path, text, phase="train")) == {"a": ["x"], "d": ["a"], "b": ["d"]}


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        ("{name: s, type: Slice, top: [p, q]}", "the entry before it has 2 tops: p, q"),
        ("{name: s, type: Silence}", "no blob stands before it"),
    ],
)
def test_an_entry_with_several_tops_or_none_implies_nothing(tmp_path, first, reason):
    found = refusal(tmp_path, f"inputs: {{x: [2, 4]}}\nlayers: [{first}, {{name: a, type: ReLU}}]")
    assert found.code.id == "E327" and reason in found.message


def test_a_block_reads_the_top_before_it_and_its_entries_read_its_input(tmp_path):
    net = load(tmp_path, X + RELU + "layers: [{name: a, type: ReLU}, {name: u, block: b}, "
               "{name: z, type: ReLU}]")  # fmt: skip
    assert wires(net) == {"a": ["x"], "u.r": ["a"], "z": ["u.r"]}


def test_inside_a_block_of_two_inputs_the_first_entry_names_its_bottom(tmp_path):
    text = ("inputs: {x: [1], y: [1]}\nblocks: {b: {inputs: [p, q], layers: [{name: r, type: ReLU}]}}\n"
            "layers: [{name: u, block: b, bottom: [x, y]}]")  # fmt: skip
    found = refusal(tmp_path, text)
    assert "the block has 2 inputs: p, q" in found.message
    assert found.related[-1][1] == "used here, as `u`"


# variables


def outputs_of(net, layer):
    return next(view.weights[0].shape[0] for view in net.layers if view.name == layer)


@pytest.mark.parametrize(
    ("options", "size"),
    [({}, 4), ({"scale": "big"}, 14), ({"k": 3}, 6), ({"scale": "big", "k": 3}, 6), ({"m": 5}, 5)],
)
def test_a_set_variable_wins_over_the_scale_and_that_over_the_default(tmp_path, options, size):
    text = ("vars: {k: 2, m: '${k * 2}', n: $m}\nscales: {big: {k: 7}}\n" + X
            + f"layers: [{DENSE}]")  # fmt: skip
    assert outputs_of(load(tmp_path, text, **options), "fc") == size


def test_a_variable_without_default_must_be_given(tmp_path):
    text = f"vars: {{n: ~}}\n{X}layers: [{DENSE}]"
    found = refusal(tmp_path, text)
    assert (found.code.id, found.span.text, found.hint) == ("E304", "~", "--set n=...")
    assert outputs_of(load(tmp_path, text, n=5), "fc") == 5


def test_a_variable_the_spec_does_not_have_is_refused(tmp_path):
    found = refusal(
        tmp_path, f"vars: {{classes: 3}}\n{X}layers: [{{name: a, type: ReLU}}]", clases=5
    )
    assert (found.code.id, found.hint) == ("E305", "did you mean `classes`?")


def test_a_scale_is_asked_for_where_only_scales_set_a_variable(tmp_path):
    text = f"vars: {{n: ~}}\nscales: {{s: {{n: 1}}, l: {{n: 9}}}}\n{X}layers: [{DENSE}]"
    assert refusal(tmp_path, text).code.id == "E308"
    assert refusal(tmp_path, text, scale="m").code.id == "E307"
    net = load(tmp_path, text, scale="l")
    assert (outputs_of(net, "fc"), net.name) == (9, "l")


@pytest.mark.parametrize(
    ("variables", "chain"),
    [("{a: '${a + 1}'}", "a -> a"), ("{a: $b, b: '${c}', c: $a}", "a -> c -> b -> a")],
)
def test_a_variable_that_depends_on_itself(tmp_path, variables, chain):
    found = refusal(tmp_path, f"vars: {variables}\n{X}layers: [{{name: a, type: ReLU}}]")
    assert found.code.id == "E306" and found.facts["chain"] == chain


def test_a_long_chain_of_variables_is_no_recursion(tmp_path):
    chain = ", ".join(f"v{i}: $v{i + 1}" for i in range(5_000))
    text = f"vars: {{{chain}, v5000: 3, n: $v0}}\n{X}layers: [{DENSE}]"
    assert outputs_of(load(tmp_path, text), "fc") == 3


def test_a_value_that_is_one_expression_keeps_its_type(tmp_path):
    text = ("vars: {p: {num_output: 2, kernel_size: [1, 3]}, act: ReLU, word: on}\n" + X
            + "layers: [{name: '${word}_1', type: Convolution, convolution_param: $p}, "
            "{name: q, type: $act}]")  # fmt: skip
    net = load(tmp_path, text)
    assert shapes(net) == {"on_1": "Nx2x8x6", "q": "Nx2x8x6"}


def test_a_type_from_a_variable_is_checked_once_it_is_known(tmp_path):
    text = f"vars: {{act: Relu}}\n{X}layers: [{{name: a, type: $act}}]"
    found = refusal(tmp_path, text)
    assert (found.code.id, found.hint, found.span.text) == (
        "E206", "did you mean `ReLU`?", "$act")  # fmt: skip
    assert refusal(tmp_path, text.replace("type: $act", "type: $act, relu_parm: {}"), act="ReLU"
                   ).code.id == "E201"  # fmt: skip


def test_inputs_and_outputs_may_hold_variables(tmp_path):
    text = "vars: {s: 9, o: a}\ninputs: {x: [N, $s, '${s * 2}']}\noutputs: $o\nlayers: " \
           "[{name: a, type: ReLU}, {name: b, type: ReLU}]"  # fmt: skip
    net = load(tmp_path, text)
    assert str(net.inputs["x"]) == "Nx9x18" and list(net.outputs) == ["a"]
    found = refused(tmp_path, text, s=0)[0]
    assert (found.code.id, found.span.text) == ("E204", "$s")


def test_two_dollars_are_one(tmp_path):
    text = "vars: {a: 'x$$y'}\n" + X + "layers: [{name: n, type: ReLU, when: \"${a == 'x$y'}\"}]"
    assert list(wires(load(tmp_path, text))) == ["n"]


def test_an_undefined_variable_is_found_in_its_place(tmp_path):
    layer = DENSE.replace("$n", "'${1 + clases}'")
    found = refusal(tmp_path, f"vars: {{classes: 3}}\n{X}layers: [{layer}]")
    assert (found.code.id, found.span.text, found.hint) == (
        "E303", "clases", "did you mean `classes`?")  # fmt: skip


# blocks


def test_blocks_use_blocks_and_their_names_are_their_own(tmp_path):
    text = X + ("blocks:\n  in: {layers: [{name: r, type: ReLU}, {name: s, type: ReLU}]}\n"
                "  out: {layers: [{name: r, block: in}, {name: t, type: ReLU}]}\n"
                "layers: [{name: r, block: out}, {name: s, block: in}]\n")  # fmt: skip
    assert wires(load(tmp_path, text)) == {
        "r.r.r": ["x"], "r.r.s": ["r.r.r"], "r.t": ["r.r.s"], "s.r": ["r.t"], "s.s": ["s.r"],
    }  # fmt: skip


def test_a_block_sees_its_own_variables_and_those_of_the_file(tmp_path):
    text = ("vars: {w: 4}\n" + X + "blocks: {b: {vars: {o: '${w * 2}', n: '${o + 1}'}, layers: "
            f"[{DENSE}]}}}}\nlayers: [{{name: u, block: b}}, {{name: v, block: b, with: {{o: 1}}}}]")  # fmt: skip
    net = load(tmp_path, text)
    assert (outputs_of(net, "u.fc"), outputs_of(net, "v.fc")) == (9, 2)


@pytest.mark.parametrize(
    ("use", "code", "span"),
    [
        ("{name: u, block: b}", "E304", "b"),
        ("{name: u, block: b, with: {out: 3, oot: 3}}", "E305", "oot"),
        ("{name: u, block: c}", "E309", "c"),
        ("{name: u, block: b, bottom: [x, x], with: {out: 3}}", "E314", "[x, x]"),
        ("{name: u, block: b, top: [p, q], with: {out: 3}}", "E315", "[p, q]"),
        ("{name: u, block: b, bottom: z, with: {out: 3}}", "E320", "z"),
        ("{name: u, block: b, tops: z, with: {out: 3}}", "E326", "z"),
    ],
)
def test_a_use_of_a_block_that_is_wrong(tmp_path, use, code, span):
    found = refused(tmp_path, f"{X}{BLOCK}layers: [{use}]")
    assert (found[0].code.id, found[0].span.text) == (code, span)


def test_a_block_may_have_several_outputs(tmp_path):
    text = ("inputs: {x: [N, 3], h: [N, 3]}\nblocks: {b: {inputs: [x, h], layers: "
            "[{name: c, type: Eltwise, bottom: [x, h]}, {name: d, type: ReLU}], outputs: [c, d]}}\n"
            "layers: [{name: a, block: b, repeat: 2, bottom: [x, h]}, "
            "{name: s, type: Eltwise, bottom: [a.c, a.d]}]")  # fmt: skip
    net = load(tmp_path, text)
    assert wires(net)["a.1.c"] == ["a.0.c", "a.0.d"]
    assert wires(net)["s"] == ["a.1.c", "a.1.d"]


def test_an_output_of_a_block_has_the_name_it_has_outside(tmp_path):
    net = load(tmp_path, X + RELU + "layers: [{name: u, block: b}]")
    assert list(net.outputs) == ["u"]
    net = load(tmp_path, X + RELU + "layers: [{name: u, block: b, top: y}]")
    assert list(net.outputs) == ["y"]


@pytest.mark.parametrize(
    ("blocks", "first", "chain"),
    [
        ("b: {layers: [{name: r, block: b}]}", "b", "b -> b"),
        ("b: {layers: [{name: r, block: $k}]}, c: {layers: [{name: r, block: b}]}", "b",
         "b -> c -> b"),
    ],
)  # fmt: skip
def test_a_block_that_uses_itself(tmp_path, blocks, first, chain):
    text = f"vars: {{k: c}}\n{X}blocks: {{{blocks}}}\nlayers: [{{name: u, block: {first}}}]"
    found = refusal(tmp_path, text)
    assert found.code.id == "E310" and found.facts["chain"] == chain


def nested(depth, more=""):
    blocks = ["b0: {layers: [{name: r, type: ReLU}]}"]
    blocks += [f"b{i}: {{layers: [{{name: r, block: b{i - 1}{more}}}]}}" for i in range(1, depth)]
    return X + "blocks:\n" + "".join(f"  {b}\n" for b in blocks) + (
        f"layers: [{{name: a, block: b{depth - 1}}}]")  # fmt: skip


def test_blocks_are_nested_at_most_64_deep(tmp_path):
    assert len(load(tmp_path, nested(64)).layers) == 1
    assert refusal(tmp_path, nested(65)).code.id == "E313"


# repeat


@pytest.mark.parametrize(
    ("times", "names"), [("0", []), ("1", ["u.0.c"]), ("'${1 + 1}'", ["u.0.c", "u.1.c"])]
)
def test_instances_are_named_by_their_number(tmp_path, times, names):
    text = f"{X}{BLOCK}layers: [{{name: u, block: b, repeat: {times}, with: {{out: '${{i + 2}}'}}}}, " \
           "{name: z, type: ReLU}]"  # fmt: skip
    net = load(tmp_path, text)
    assert [layer.name for layer in net.layers] == [*names, "z"]
    assert wires(net)["z"] == [names[-1] if names else "x"]
    assert [outputs_of(net, name) for name in names] == list(range(2, 2 + len(names)))


def test_without_repeat_there_is_no_number(tmp_path):
    net = load(tmp_path, f"{X}{BLOCK}layers: [{{name: u, block: b, with: {{out: 2}}}}]")
    assert [layer.name for layer in net.layers] == ["u.c"]


@pytest.mark.parametrize(
    "times", ["-1", "2.5", "true", "'3'", "~", "[2]", "'${1.5 * 2}'", "'${-1}'"]
)
def test_repeat_takes_a_whole_number_from_0(tmp_path, times):
    found = refusal(tmp_path, f"{X}{RELU}layers: [{{name: u, block: b, repeat: {times}}}]")
    assert found.code.id in ("E203", "E204", "E311") and found.span.text == times


def test_i_is_known_inside_with_only(tmp_path):
    use = "{name: u, block: b, repeat: 2}"
    found = refusal(tmp_path, X + RELU.replace("type: ReLU", "type: ReLU, when: '${i == 0}'")
                    + f"layers: [{use}]")  # fmt: skip
    assert (found.code.id, found.span.text) == ("E303", "i")


@pytest.mark.parametrize(
    "text",
    [
        X + RELU + "layers: [{name: a, block: b, repeat: 1000000000}]",
        X + "blocks: {b: {layers: [{name: r, type: ReLU}]}, c: {layers: [{name: q, block: b}]}}\n"
        "layers: [{name: a, block: c, repeat: 1000000000}]",
        X + "blocks: {b: {layers: [{name: r, type: ReLU}]}, c: {layers: [{name: q, block: b, "
        "repeat: 1000000000}]}}\nlayers: [{name: a, block: c, repeat: 1000000000}]",
        X + "blocks: {b: {layers: []}}\nlayers: [{name: a, block: b, repeat: 1000000000}]",
        X + "blocks: {b: {layers: [{name: r, type: ReLU, when: false}]}}\n"
        "layers: [{name: a, block: b, repeat: 1000000000}]",
        nested(11, ", repeat: 10"),
        "vars: {n: 10}\n" + nested(11, ", repeat: $n"),
        nested(11, ", repeat: 10, include: {phase: TEST}"),
        X + "blocks:\n  b0: {layers: [{name: r, type: ReLU}]}\n" + "".join(
            f"  b{i}: {{vars: {{n: 1}}, layers: [{{name: p, block: b{i - 1}}}, "
            f"{{name: q, block: b{i - 1}}}]}}\n" for i in range(1, 40)
        ) + "layers: [{name: a, block: b39}]",
    ],
)  # fmt: skip
def test_a_bomb_is_refused_before_it_is_expanded(tmp_path, text):
    found = []
    assert work(lambda: found.append(refusal(tmp_path, text))) < 200_000
    assert found[0].code.id == "E312"


def test_a_large_net_is_no_bomb(tmp_path):
    text = X + RELU + "layers: [{name: a, block: b, repeat: 2000}]"
    assert len(load(tmp_path, text).layers) == 2_000


def test_an_error_in_one_instance_is_told_once_with_its_use(tmp_path):
    text = (f"{X}{BLOCK.replace('kernel_size: 1', 'kernel_size: $out')}"
            "layers:\n  - {name: res, block: b, repeat: 800, with: {out: '${1 if i < 731 else 50}'}}")  # fmt: skip
    found = refusal(tmp_path, text)
    assert (found.code.id, found.span.text) == ("E403", "$out")
    assert "res.731.c" in found.message
    assert found.related[-1][1] == "used here" and found.related[-1][0].text == "res"


@pytest.mark.parametrize(("value", "code"), [("${1 // (1 - out)}", "E301"), ("${1 - out}", "E204")])
def test_a_wrong_value_in_one_instance_names_the_instance(tmp_path, value, code):
    text = (X + BLOCK.replace("kernel_size: 1", f"kernel_size: '{value}'")
            + "layers: [{name: res, block: b, repeat: 90, with: {out: '${1 if i >= 31 else 0}'}}]")  # fmt: skip
    text = text.replace("num_output: $out", "num_output: 3")
    found = refusal(tmp_path, text)
    assert found.code.id == code
    assert [label for _, label in found.related] == ["used here, as `res.31`"]


# conditions


def test_a_skipped_layer_with_one_bottom_and_one_top_is_a_wire(tmp_path):
    net = load(tmp_path, X + "layers: [{name: a, type: ReLU, when: false, top: t}, "
               "{name: b, type: ReLU, bottom: t}]")  # fmt: skip
    assert wires(net) == {"b": ["x"]}


def test_a_skipped_block_is_a_wire_too(tmp_path):
    text = X + BLOCK + ("layers: [{name: u, block: b, bottom: x, when: '${1 > 2}', with: {out: 3}}, "
                        "{name: e, type: Eltwise, bottom: [x, u]}]")  # fmt: skip
    assert wires(load(tmp_path, text)) == {"e": ["x", "x"]}


def test_any_other_skipped_layer_has_no_tops(tmp_path):
    found = refusal(tmp_path, "inputs: {x: [2, 4]}\nlayers: [{name: s, type: Slice, top: [p, q], "
                    "when: false}, {name: b, type: ReLU, bottom: p}]")  # fmt: skip
    assert found.code.id == "E320"
    assert found.related[0][1] == "`p` is made here, by a layer left out of this net"


@pytest.mark.parametrize("value", ["'true'", "1", "'${1}'", "yes", "~"])
def test_a_condition_is_true_or_false(tmp_path, value):
    found = refusal(tmp_path, f"{X}layers: [{{name: a, type: ReLU, when: {value}}}]")
    assert found.code.id == "E203" and "must be true or false" in found.message


# phases, stages, levels. Cases: BVLC/caffe, src/caffe/test/test_net.cpp, FilterNetTest


@pytest.mark.parametrize(
    ("rule", "options", "kept"),
    [
        ("include: {phase: TEST}", {}, True),
        ("include: {phase: TEST}", {"phase": "train"}, False),
        ("exclude: {phase: TEST}", {}, False),
        ("exclude: {phase: TEST}", {"phase": "train"}, True),
        ("include: [{phase: TRAIN}, {phase: TEST}]", {}, True),
        ("include: {stage: s}", {}, False),
        ("include: {stage: s}", {"stages": ["s"]}, True),
        ("include: {stage: [s, t]}", {"stages": ["s"]}, False),
        ("include: {stage: [s, t]}", {"stages": ["t", "s"]}, True),
        ("include: [{stage: s}, {stage: t}]", {"stages": ["t"]}, True),
        ("include: {not_stage: s}", {"stages": ["s"]}, False),
        ("include: {not_stage: s}", {}, True),
        ("exclude: {not_stage: s}", {}, False),
        ("include: {min_level: 2}", {"level": 1}, False),
        ("include: {min_level: 2}", {"level": 2}, True),
        ("include: {max_level: 2}", {"level": 3}, False),
        ("include: {min_level: -1, max_level: 2}", {}, True),
        ("include: {phase: TEST, stage: s, min_level: 1}", {"stages": ["s"], "level": 1}, True),
        ("include: {phase: TEST, stage: s, min_level: 1}", {"stages": ["s"]}, False),
        ("include: {phase: $p}", {"p": "TEST"}, True),
        ("include: {phase: $p}", {"p": "TRAIN"}, False),
    ],
)
def test_rules_keep_and_drop_as_in_caffe(tmp_path, rule, options, kept):
    text = (
        f"vars: {{p: TEST}}\n{X}layers: [{{name: a, type: ReLU, {rule}}}, {{name: z, type: ReLU}}]"
    )
    assert ("a" in wires(load(tmp_path, text, **options))) is kept


@pytest.mark.parametrize("entry", ["type: ReLU", "block: b"])
def test_an_entry_has_include_or_exclude_rules_not_both(tmp_path, entry):
    text = (
        f"{X}{RELU}layers: [{{name: a, {entry}, include: {{phase: TEST}}, exclude: {{stage: s}}}}]"
    )
    found = refusal(tmp_path, text)
    assert (found.code.id, found.span.text) == ("E328", "exclude")


def test_a_rule_from_a_variable_is_judged_too(tmp_path):
    found = refusal(tmp_path, f"vars: {{p: TEXT}}\n{X}layers: [{{name: a, type: ReLU, "
                    "include: {phase: $p}}]")  # fmt: skip
    assert (found.code.id, found.span.text) == ("E205", "$p")


# outputs


def test_outputs_are_the_blobs_nobody_reads_or_those_listed(tmp_path):
    layers = (
        "layers: [{name: a, type: ReLU}, {name: b, type: ReLU}, {name: c, type: ReLU, bottom: a}]"
    )
    assert list(load(tmp_path, X + layers).outputs) == ["b", "c"]
    assert list(load(tmp_path, X + "outputs: [a, x]\n" + layers).outputs) == ["a", "x"]
    found = refusal(tmp_path, X + "outputs: [a, bb]\n" + layers)
    assert (found.code.id, found.span.text, found.hint) == ("E326", "bb", "did you mean `b`?")


# imports

VGG = """\
vars: {k: 3, z: '${k + 2}', unset: ~}
inputs: {data: [N, 3, H, W], label: {shape: [N], dtype: int64}}
blocks: {stage: {vars: {out: ~}, layers: [
  {name: c, type: Convolution, convolution_param: {num_output: $out, kernel_size: $z}}]}}
layers:
  - {name: c1, type: Convolution, bottom: data, convolution_param: {num_output: 4, kernel_size: $k}}
  - {name: r1, type: ReLU}
  - {name: c2, type: Convolution, convolution_param: {num_output: 5, kernel_size: $k}}
  - {name: r2, type: ReLU}
"""
NET = VGG.replace(", unset: ~", "")


def test_a_block_of_another_file_sees_that_file(tmp_path):
    text = (
        X
        + "imports: {vgg: vgg.yaml}\nvars: {z: 99}\nlayers: [{name: a, block: vgg.stage, with: {out: 8}}]"
    )
    assert shapes(load(tmp_path, text, {"vgg.yaml": VGG})) == {"a.c": "Nx8x4x4"}
    found = refusal(tmp_path, text.replace("vgg.stage", "vgg.stag"), {"vgg.yaml": VGG})
    assert (found.code.id, found.hint) == ("E309", "did you mean `vgg.stage`?")


def test_a_whole_net_is_used_as_a_block(tmp_path):
    text = (
        X
        + "imports: {vgg: vgg.yaml}\nlayers: [{name: a, block: vgg, with: {k: 1}}, {name: e, type: ReLU}]"
    )
    net = load(tmp_path, text, {"vgg.yaml": NET})
    assert wires(net) == {"a.c1": ["x"], "a.r1": ["a.c1"], "a.c2": ["a.r1"], "a.r2": ["a.c2"],
                          "e": ["a.r2"]}  # fmt: skip
    assert shapes(net)["e"] == "Nx5x8x8"


def test_its_unset_variables_must_be_given(tmp_path):
    text = X + "imports: {vgg: vgg.yaml}\nlayers: [{name: a, block: vgg}]"
    found = refusal(tmp_path, text, {"vgg.yaml": VGG})
    assert (found.code.id, found.span.text) == ("E304", "vgg")


def test_tops_pick_blobs_and_what_they_do_not_need_is_dropped(tmp_path):
    use = X + "imports: {vgg: vgg.yaml}\nlayers: [{name: a, block: vgg, tops: %s}, {name: e, %s}]"
    net = load(tmp_path, use % ("[r1]", "type: ReLU"), {"vgg.yaml": NET})
    assert wires(net) == {"a.c1": ["x"], "a.r1": ["a.c1"], "e": ["a.r1"]}
    assert net.params.total == 4 * 3 * 9 + 4
    net = load(
        tmp_path, use % ("[c1, r1]", "type: Eltwise, bottom: [a.c1, a.r1]"), {"vgg.yaml": NET}
    )
    assert wires(net)["e"] == ["a.c1", "a.r1"]


def test_a_net_used_twice_may_share_and_be_frozen(tmp_path):
    use = "{name: %s, block: vgg, bottom: %s, tops: r1, share: k, freeze: true}"
    text = ("inputs: {x: [N, 3, 8, 8], y: [N, 3, 8, 8]}\nimports: {vgg: vgg.yaml}\nlayers: ["
            f"{use % ('a', 'x')}, {use % ('b', 'y')}, {{name: e, type: Eltwise, bottom: [a, b]}}]")  # fmt: skip
    net = load(tmp_path, text, {"vgg.yaml": NET})
    assert (net.params.total, net.params.trainable) == (112, 0)


def test_the_scale_of_an_import_is_chosen_by_the_entry(tmp_path):
    files = {"r.yaml": "scales: {s: {n: 1}, l: {n: 7}}\nvars: {n: ~}\ninputs: {d: [N, 3, H, W]}\n"
                       f"layers: [{DENSE}]"}  # fmt: skip
    text = X + "imports: {r: r.yaml}\nlayers: [{name: a, block: r, scale: l}]"
    assert outputs_of(load(tmp_path, text, files), "a.fc") == 7
    found = refusal(tmp_path, text.replace(", scale: l", ""), files)
    assert (found.code.id, found.span.text) == ("E308", "r")
    found = refusal(tmp_path, text.replace("scale: l", "scale: m"), files)
    assert (found.code.id, found.span.text) == ("E307", "m")


def test_a_zoo_name_of_a_scale_means_that_scale(tmp_path):
    text = (
        "inputs: {x: [N, 3, 64, 64]}\nimports: {r: 'zoo:resnet18'}\nlayers: [{name: a, block: r}]"
    )
    assert load(tmp_path, text).params.total == 11_689_512


def test_an_imported_file_imports_in_its_turn_from_its_own_folder(tmp_path):
    files = {"sub/b.yaml": "imports: {c: c.yaml, up: ../d.yaml}\ninputs: {d: [N, 3, H, W]}\n"
                           "layers: [{name: p, block: c}, {name: q, block: up.b}]",
             "sub/c.yaml": "inputs: {d: [N, 3, H, W]}\nlayers: [{name: k, type: ReLU}]",
             "d.yaml": RELU + "layers: []"}  # fmt: skip
    net = load(tmp_path, X + "imports: {b: sub/b.yaml}\nlayers: [{name: a, block: b}]", files)
    assert list(wires(net)) == ["a.p.k", "a.q.r"]


def test_an_import_of_itself_names_the_chain(tmp_path):
    files = {"b.yaml": "imports: {a: net.yaml}\ninputs: {d: [N]}\nblocks: {p: {layers: [{name: c, "
                       "block: a.q}]}}\nlayers: [{name: c, block: a}]"}  # fmt: skip
    for use in ("b", "b.p"):
        text = (
            X
            + f"imports: {{b: b.yaml}}\nblocks: {{q: {{layers: []}}}}\nlayers: [{{name: a, block: {use}}}]"
        )
        found = refusal(tmp_path, text, files)
        assert (found.code.id, found.span.text) == ("E316", "net.yaml")
        names = [part.rpartition("/")[2] for part in found.facts["reason"].split(" -> ")]
        assert names == ["net.yaml", "b.yaml", "net.yaml"]
    text = X + "imports: {me: net.yaml}\nlayers: [{name: a, block: me}]"
    assert refusal(tmp_path, text).code.id == "E316"


def test_a_file_on_two_ways_is_read_once(tmp_path, monkeypatch):
    import netspec.pipeline

    read, names = netspec.pipeline.read, []
    monkeypatch.setattr(
        netspec.pipeline, "read", lambda path, *a: names.append(path) or read(path, *a)
    )
    files = {"d.yaml": RELU + "layers: []",
             "b.yaml": "imports: {d: d.yaml}\nblocks: {p: {layers: [{name: c, block: d.b}]}}\nlayers: []",
             "c.yaml": "imports: {d: ./d.yaml}\nblocks: {p: {layers: [{name: c, block: d.b}]}}\nlayers: []"}  # fmt: skip
    text = (
        X
        + "imports: {b: b.yaml, c: c.yaml}\nlayers: [{name: u, block: b.p}, {name: v, block: c.p}]"
    )
    assert list(wires(load(tmp_path, text, files))) == ["u.c.r", "v.c.r"]
    assert sum(name.endswith("d.yaml") for name in names) == 1


def test_an_error_in_an_import_is_shown_there_and_where_it_is_used(tmp_path):
    files = {"r.yaml": "inputs: {d: [N, 3, H, W]}\nlayers: [{name: c, type: RLU}]"}
    text = X + "imports: {r: r.yaml}\nlayers: [{name: a, block: r}]"
    found = refusal(tmp_path, text, files)
    assert found.code.id == "E206" and found.span.source.name.endswith("r.yaml")


ESCAPES = [
    "../x.yaml", "/etc/passwd", "sub/../../x.yaml", "~/x.yaml", "file:///etc/passwd",
    "http://a/b", "\\\\\\\\server\\\\share", "C:\\\\x", "..\\\\x.yaml", "x\\0y", "link.yaml", "linked/x.yaml",
    "", ".", "sub", "pipe", "zoo:../../etc/passwd", "zoo:nope", "%2e%2e/x.yaml", "$$HOME/x.yaml",
]  # fmt: skip


@pytest.mark.parametrize("path", ESCAPES)
def test_an_import_stays_inside_the_folder_of_the_spec(tmp_path, path):
    import os

    outside, root = tmp_path / "outside", tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    outside.mkdir()
    for folder in (tmp_path, outside):
        (folder / "x.yaml").write_text("secret: [")
    (root / "link.yaml").symlink_to(outside / "x.yaml")
    (root / "linked").symlink_to(outside)
    os.mkfifo(root / "pipe")
    text = X + f'imports: {{b: "{path}"}}\nlayers: [{{name: a, block: b}}]'
    with ends():  # the pipe has no writer
        found = refusal(root, text)
    assert (found.code.id, found.span.text) == ("E316", f'"{path}"')
    assert "secret" not in found.render()


def test_a_folder_whose_name_begins_like_the_root_is_outside(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root2").mkdir()
    assert within(str(tmp_path / "root"), str(tmp_path / "root"), "../root2/x") is None
    assert within(str(tmp_path / "root"), str(tmp_path / "root"), "x") is not None


def test_an_import_that_nothing_uses_is_not_read(tmp_path):
    load(tmp_path, X + "imports: {b: nope.yaml}\nlayers: [{name: a, type: ReLU}]")
