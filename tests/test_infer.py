# ruff: noqa: E501 - specs stand on the lines they are shown with
from __future__ import annotations

import pytest

from tests.texts import X, load, refusal, refused, shapes

FC = "{name: %s, type: InnerProduct, bottom: %s, param: %s, inner_product_param: {num_output: %s}}"
TWO = "inputs: {x: [N, 4], y: [N, %s]}\nlayers: [%s, %s]"


# symbols and sizes


def test_a_dimension_is_a_number_a_symbol_or_an_expression(tmp_path):
    text = "inputs: {x: [N, 3, 2*H, 'ceil(W/2)']}\nlayers: [{name: p, type: Pooling, pooling_param: " \
           "{pool: MAX, kernel_size: 2, stride: 2}}]"  # fmt: skip
    net = load(tmp_path, text)
    assert (str(net.inputs["x"]), shapes(net)["p"]) == ("Nx3x(2*H)xceil(W/2)", "Nx3xHxceil(W/4)")
    bound = load(tmp_path, text, at={"H": 5, "W": 7})
    assert (str(bound.inputs["x"]), shapes(bound)["p"]) == ("Nx3x10x4", "Nx3x5x2")
    given = load(tmp_path, text, inputs={"x": [2, 1, 8, "K"]})
    assert (str(given.inputs["x"]), shapes(given)["p"]) == ("2x1x8xK", "2x1x4xceil(K/2)")


@pytest.mark.parametrize(
    ("size", "code", "span"),
    [("H/2", "E301", "H/2"), ("'W W'", "E300", "W"), ("H-H", "E409", "H-H"), ("0", "E204", "0"),
     ("-1", "E204", "-1"), ("1.5", "E203", "1.5"), ("'a.b'", "E300", "."), ("~", "E203", "~")],
)  # fmt: skip
def test_a_size_that_is_none(tmp_path, size, code, span):
    found = refusal(tmp_path, f"inputs: {{x: [N, {size}]}}\nlayers: [{{name: a, type: ReLU}}]")
    assert (found.code.id, found.span.text) == (code, span)


@pytest.mark.parametrize(
    ("options", "code", "fact"),
    [
        ({"at": {"Q": 3}}, "E335", "Q"),
        ({"at": {"H": 0}}, "E204", 0),
        ({"at": {"H": "a"}}, "E204", "a"),
        ({"at": {"H": True}}, "E204", True),
        ({"inputs": {"y": [1, 2]}}, "E335", "y"),
        ({"inputs": {"x": [1, 3, None, 4]}}, "E204", None),
        ({"inputs": {"x": [1, 3, 2.5, 4]}}, "E204", 2.5),
        ({"inputs": {"x": [1, 3, "a b", 4]}}, "E300", "expected an operator, found `b`"),
        ({"phase": "tset"}, "E205", "tset"),
    ],
)
def test_a_call_that_is_wrong(tmp_path, options, code, fact):
    text = "inputs: {x: [N, 3, H, W]}\nlayers: [{name: a, type: ReLU}]"
    found = refusal(tmp_path, text, **options)
    assert found.code.id == code and fact in found.facts.values()


def test_an_input_is_asked_for_only_where_it_is_read(tmp_path):
    text = ("inputs: {x: [N, 3], label: {shape: [N], dtype: int64}}\nlayers: [{name: f, type: ReLU, "
            "bottom: x}, {name: l, type: SoftmaxWithLoss, bottom: [f, label], include: {phase: TRAIN}}]")  # fmt: skip
    assert list(load(tmp_path, text).inputs) == ["x"]
    assert list(load(tmp_path, text, phase="train").inputs) == ["x", "label"]


def test_a_dtype_that_a_layer_cannot_read(tmp_path):
    text = "inputs: {x: {shape: [N, 3], dtype: int64}}\nlayers: [{name: a, type: ReLU}]"
    found = refusal(tmp_path, text)
    assert (found.code.id, found.message) == ("E411", "`a` needs a float bottom, `x` is int64")
    assert found.related[0][0].text == "x"


# sizes that must agree


def residual(pad, kernel=3):
    return (
        "inputs: {x: [N, 8, H, W]}\nlayers:\n"
        "  - {name: a, type: Convolution, convolution_param: {num_output: 8, kernel_size: 3, stride: 2, pad: 1}}\n"
        "  - {name: r, type: ReLU}\n"
        f"  - {{name: b, type: Convolution, convolution_param: {{num_output: 8, kernel_size: {kernel}, pad: {pad}}}}}\n"
        "  - {name: s, type: Convolution, bottom: x, convolution_param: {num_output: 8, kernel_size: 1, stride: 2}}\n"
        "  - {name: add, type: Eltwise, bottom: [b, s]}\n"
    )


def test_a_mismatch_names_both_sides_where_they_part_and_a_cure(tmp_path):
    found = refusal(tmp_path, residual(0))
    assert found.message == (
        "axis 2 of the bottoms of `add` differ: `s` has ceil(H/2), `b` has ceil(H/2)-2"
    )
    assert [(span.text, label) for span, label in found.related] == [
        ("b", "`b` is Nx8x(ceil(H/2)-2)x(ceil(W/2)-2)"),
        ("a", "`a` is Nx8xceil(H/2)xceil(W/2)"),
        ("s", "`s` is Nx8xceil(H/2)xceil(W/2)"),
        ("x", "`x` is Nx8xHxW: both come from here"),
    ]
    assert found.hint == "`pad: 1` in `b` would make them agree"
    load(tmp_path, residual(1))


def test_a_cure_is_not_offered_where_it_moves_both_sides(tmp_path):
    text = (
        "inputs: {x: [N, 3, 64, 64]}\nlayers:\n"
        "  - {name: c, type: Convolution, convolution_param: {num_output: 8, kernel_size: 3}}\n"
        "  - {name: p, type: Pooling, pooling_param: {pool: MAX, kernel_size: 2, stride: 2}}\n"
        "  - {name: up, type: Deconvolution, convolution_param: {num_output: 8, kernel_size: 4, stride: 2}}\n"
        "  - {name: cat, type: Concat, bottom: [up, c]}\n"
    )
    assert refusal(tmp_path, text).hint == "`pad: 1` in `up` would make them agree"
    load(tmp_path, text.replace("kernel_size: 4, stride: 2", "kernel_size: 4, stride: 2, pad: 1"))


def test_a_cure_of_channels(tmp_path):
    text = residual(1).replace("name: s, type: Convolution, bottom: x, convolution_param: {num_output: 8",
                               "name: s, type: Convolution, bottom: x, convolution_param: {num_output: 9")  # fmt: skip
    assert refusal(tmp_path, text).hint == (
        "`num_output: 8` in `s` or `num_output: 9` in `b` would make them agree"
    )


def test_sizes_that_agree_for_some_inputs_are_a_condition_of_the_net(tmp_path):
    text = ("inputs: {x: [N, 8, H, W]}\nlayers:\n"
            "  - {name: d, type: Pooling, pooling_param: {pool: MAX, kernel_size: 2, stride: 2}}\n"
            "  - {name: u, type: Deconvolution, convolution_param: {num_output: 8, kernel_size: 2, stride: 2}}\n"
            "  - {name: e, type: Eltwise, bottom: [u, x]}\n")  # fmt: skip
    net = load(tmp_path, text)
    assert len(net.conditions) == 2 and "first failure H=1" in net.conditions[0].text
    assert load(tmp_path, text, at={"H": 6, "W": 8}).conditions == ()
    assert refusal(tmp_path, text, at={"H": 5, "W": 8}).code.id == "E402"


@pytest.mark.parametrize(
    ("layer", "size", "code", "message", "hint"),
    [
        ("Convolution, convolution_param: {num_output: 8, kernel_size: 3, group: 4}", "6, 9, 9",
         "E401", "`group: 4` does not divide the 6 input channels of `a`", "`group` may be 1, 2"),
        ("Convolution, convolution_param: {num_output: 8, kernel_size: 7, pad: 1}", "6, 4, 4",
         "E403", "the 7x7 window of `a` does not fit its 4x4 input: the output would be 0x0",
         "the input must be at least 5x5 with this padding"),
        ("Softmax, softmax_param: {axis: 4}", "6, 4, 4", "E405",
         "`axis: 4` is not an axis of `x`, which has 4: 2x6x4x4", ""),
        ("InnerProduct, inner_product_param: {num_output: 4611686018427387904}", "6, 4, 4", "E410",
         "`a` would have 9223372036854775808 elements", "the limit is 2^63 - 1"),
    ],
)  # fmt: skip
def test_a_layer_that_cannot_take_its_bottom(tmp_path, layer, size, code, message, hint):
    text = f"inputs: {{x: [2, {size}]}}\nlayers: [{{name: a, type: {layer}}}]"
    found = refusal(tmp_path, text)
    assert (found.code.id, found.message, found.hint) == (code, message, hint)


def test_a_net_that_no_size_fits_is_refused(tmp_path):
    text = ("inputs: {x: [N, 1, 9-H]}\nlayers: [{name: r, type: ReLU}, {name: a, type: Convolution, "
            "convolution_param: {num_output: 1, kernel_size: %s}}]")  # fmt: skip
    load(tmp_path, text % 8)
    found = refusal(tmp_path, text % 9)
    assert (found.code.id, found.span.text) == ("E415", "a")
    assert found.message == ("axis 2 of `a` is 1-H, and no input size makes every blob at least 1")


# sharing by name


def test_weights_of_one_name_are_one_weight(tmp_path):
    param = "[{name: w}, {name: b}]"
    net = load(tmp_path, TWO % (4, FC % ("a", "x", param, 3), FC % ("b", "y", param, 3)))
    assert net.params.total == 15
    assert [weight.owner[0].name for weight in net.layers[1].weights] == ["a", "a"]


@pytest.mark.parametrize(("mode", "size", "fits"), [("STRICT", 6, False), ("PERMISSIVE", 6, True),
                                                    ("PERMISSIVE", 5, False)])  # fmt: skip
def test_their_shapes_are_one_or_only_their_counts(tmp_path, mode, size, fits):
    other = f"{{name: w, share_mode: {mode}}}"
    text = TWO % (size, FC % ("a", "x", "{name: w}", 3), FC % ("b", "y", other, 2))
    if fits:
        assert load(tmp_path, text).params.total == 12 + 3 + 2
    else:
        found = refusal(tmp_path, text)
        assert (found.code.id, found.span.text) == ("E332", "w")
        assert found.message == f"`b` shares `w` as 2x{size}, `a` made it 3x4"


@pytest.mark.parametrize("key", ["lr_mult", "decay_mult"])
def test_they_have_one_multiplier(tmp_path, key):
    text = TWO % (4, FC % ("a", "x", f"{{name: w, {key}: 2}}", 3),
                  FC % ("b", "y", f"[{{name: w, {key}: 1}}]", 3))  # fmt: skip
    found = refusal(tmp_path, text)
    assert (found.code.id, found.span.text) == ("E331", "1")
    assert found.message == f"`b` gives the shared weight `w` {key} 1, `a` gives it 2"
    load(tmp_path, text.replace(f"{key}: 1", f"{key}: 2"))


@pytest.mark.parametrize(
    ("first", "second"), [("lr_mult: 3", "decay_mult: 0"), ("decay_mult: 0", "lr_mult: 3")]
)
def test_one_that_leaves_it_open_takes_the_others(tmp_path, first, second):
    text = TWO % (
        4,
        FC % ("a", "x", f"{{name: w, {first}}}", 3),
        FC % ("b", "y", f"{{name: w, {second}}}", 3),
    )
    weight = load(tmp_path, text).layers[0].weights[0]
    assert (weight.lr_mult, weight.decay_mult) == (3.0, 0.0)


def test_more_params_than_weights(tmp_path):
    text = f"inputs: {{x: [N, 4]}}\nlayers: [{FC % ('a', 'x', '[{}, {}, {}]', 3)}]"
    found = refusal(tmp_path, text)
    assert (found.code.id, found.message) == ("E329", "`a` has 3 `param` entries and 2 weights")


# sharing and freezing of blocks

DENSE = "{name: fc, type: InnerProduct, inner_product_param: {num_output: 4}}"
BLOCKS = (f"inputs: {{x: [N, 4]}}\nblocks: {{l: {{layers: [{DENSE}]}}, "
          "b: {layers: [{name: p, block: l, repeat: 2}]}, q: {layers: [{name: p, block: l, repeat: 2, share: i}]}}\n")  # fmt: skip


@pytest.mark.parametrize(
    ("layers", "count"),
    [
        ("{name: a, block: b}, {name: d, block: b}", 80),
        ("{name: a, block: b, share: k}, {name: d, block: b, share: k}", 40),
        ("{name: a, block: b, share: k}, {name: d, block: b, share: m}", 80),
        ("{name: a, block: l, repeat: 3, share: k}", 20),
        ("{name: a, block: q}, {name: d, block: q}", 40),
        ("{name: a, block: q, share: k}, {name: d, block: q, share: k}", 20),
    ],
)
def test_uses_of_one_key_share_every_weight(tmp_path, layers, count):
    assert load(tmp_path, f"{BLOCKS}layers: [{layers}]").params.total == count


def test_uses_of_one_key_must_fit(tmp_path):
    text = BLOCKS.replace("q: {", f"m: {{layers: [{DENSE.replace('4', '5')}]}}, q: {{")
    found = refused(
        tmp_path, text + "layers: [{name: a, block: l, share: k}, {name: d, block: m, share: k}]"
    )
    assert found[0].code.id == "E332"
    assert found[0].message == "`d.fc` shares `weight` as 5x4, `a.fc` made it 4x4"


def test_uses_of_one_key_are_frozen_together(tmp_path):
    found = refused(tmp_path, BLOCKS + "layers: [{name: a, block: l, share: k}, "
                    "{name: d, block: l, share: k, freeze: true}]")  # fmt: skip
    assert found[0].code.id == "E331"


def test_a_frozen_block_does_not_learn_nor_what_is_inside(tmp_path):
    net = load(
        tmp_path, BLOCKS + f"layers: [{{name: a, block: b, freeze: true}}, {DENSE}]", phase="train"
    )
    assert (net.params.total, net.params.trainable, net.params.frozen) == (60, 20, 40)
    assert {weight.lr_mult for layer in net.layers[:2] for weight in layer.weights} == {0.0}


def test_a_multiplier_of_zero_freezes_one_weight(tmp_path):
    net = load(tmp_path, f"inputs: {{x: [N, 4]}}\nlayers: [{FC % ('a', 'x', '[{lr_mult: 0}]', 3)}]")
    assert (net.params.trainable, net.params.frozen) == (3, 12)


def test_an_error_is_said_once_and_not_echoed(tmp_path):
    text = (
        residual(0)
        + "  - {name: more, type: ReLU}\n  - {name: e, type: Eltwise, bottom: [more, a]}\n"
    )
    assert refusal(tmp_path, text).code.id == "E402"


def test_several_layers_that_are_wrong_are_all_found(tmp_path):
    conv = "{name: %s, type: Convolution, bottom: x, convolution_param: {num_output: 3, kernel_size: 9}}"
    found = refused(tmp_path, X + f"layers: [{conv % 'a'}, {conv % 'b'}]")
    assert [(d.code.id, d.facts["layer"]) for d in found] == [("E403", "a"), ("E403", "b")]
