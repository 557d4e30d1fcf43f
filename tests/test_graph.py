# ruff: noqa: E501 - specs stand on the lines they are shown with
from __future__ import annotations

import pytest

from tests.texts import X, grows, load, refusal, wires


def test_a_blob_name_means_its_latest_writer(tmp_path):
    net = load(tmp_path, X + "layers: [{name: c, type: Sigmoid}, {name: r, type: ReLU, bottom: c, top: c}, "
               "{name: p, type: TanH, bottom: c}]")  # fmt: skip
    c, r, p = net.flat.nodes
    assert r.in_place and not c.in_place
    assert p.bottoms == r.tops and r.bottoms == c.tops
    assert c.tops[0] is not r.tops[0] and c.tops[0].name == r.tops[0].name == "c"
    assert list(net.outputs) == ["p"]


def test_two_bottoms_may_be_one_blob(tmp_path):
    net = load(tmp_path, X + "layers: [{name: e, type: Eltwise, bottom: [x, x]}]")
    assert [(u, v, key) for u, v, key in net.graph.edges(keys=True)] == [
        ("x", "e", (0, 0)), ("x", "e", (0, 1)),
    ]  # fmt: skip


def test_in_place_on_a_blob_that_another_reads_is_refused(tmp_path):
    found = refusal(tmp_path, X + "layers: [{name: c, type: TanH}, {name: s, type: Sigmoid, bottom: c}, "
                    "{name: r, type: ReLU, bottom: c, top: [c]}, "
                    "{name: q, type: Eltwise, bottom: [s, c]}]")  # fmt: skip
    assert (found.code.id, found.message) == (
        "E322", "`r` works in place on `c`, which `s` reads too")  # fmt: skip
    assert [(span.text, label) for span, label in found.related] == [("s", "`s` reads it here")]


def test_a_layer_that_cannot_work_in_place_is_refused(tmp_path):
    found = refusal(tmp_path, X + "layers: [{name: s, type: AbsVal, bottom: x, top: x}]")
    assert (found.code.id, found.span.text, found.hint) == (
        "E413", "x", "give the top another name")  # fmt: skip


@pytest.mark.parametrize(
    ("layers", "code", "message"),
    [
        ("{name: a, type: ReLU, top: t}, {name: b, type: ReLU, bottom: x, top: t}", "E321",
         "the blob `t` is already made by `a`"),
        ("{name: a, type: ReLU}, {name: x, type: ReLU}", "E321", "the blob `x` is an input"),
        ("{name: a, type: ReLU}, {name: a, type: ReLU, top: t}", "E325",
         "two layers have the name `a`"),
        ("{name: a, type: ReLU, bottom: [x, x]}", "E323", "ReLU takes 1 bottom, `a` has 2"),
        ("{name: a, type: Eltwise, bottom: x}", "E323",
         "Eltwise takes at least 2 bottoms, `a` has 1"),
        ("{name: a, type: ReLU, top: [p, q]}", "E324", "ReLU makes 1 top, `a` has 2"),
        ("{name: a, type: ReLU, loss_weight: [1, 2]}", "E330",
         "`loss_weight` of `a` has 2 items, 1 needed"),
        ("{name: a, type: ReLU, propagate_down: [true, true]}", "E330",
         "`propagate_down` of `a` has 2 items, 1 needed"),
    ],
)  # fmt: skip
def test_wiring_that_is_wrong(tmp_path, layers, code, message):
    found = refusal(tmp_path, f"{X}layers: [{layers}]")
    assert (found.code.id, found.message) == (code, message)


@pytest.mark.parametrize(
    ("layers", "hint"),
    [
        ("{name: b, type: ReLU, bottom: cnv}, {name: z, type: ReLU}", ""),
        ("{name: conv, type: ReLU}, {name: b, type: ReLU, bottom: cnv}", "did you mean `conv`?"),
        (
            "{name: b, type: ReLU, bottom: later}, {name: later, type: ReLU, bottom: x}",
            "layers run in the order of the file: move one of the two",
        ),
        ("{name: b, type: ReLU, bottom: b}", "a layer cannot read what it makes"),
        (
            "{name: t, type: ReLU, include: {phase: TRAIN}}, {name: b, type: ReLU, bottom: t}",
            "see its `include`, `exclude` or `when`",
        ),
    ],
)
def test_a_bottom_that_nothing_before_makes(tmp_path, layers, hint):
    found = refusal(tmp_path, f"{X}layers: [{layers}]")
    assert (found.code.id, found.hint) == ("E320", hint)


def test_an_undefined_bottom_is_shown_at_its_place_in_the_list(tmp_path):
    found = refusal(tmp_path, X + "layers: [{name: e, type: Eltwise, bottom: [x, y]}]")
    assert found.span.text == "y"


def test_a_fault_is_not_echoed_by_the_layers_after_it(tmp_path):
    text = X + ("layers: [{name: a, type: ReLU, bottom: nothing}, {name: b, type: ReLU}, "
                "{name: e, type: Eltwise, bottom: [a, b]}]")  # fmt: skip
    assert refusal(tmp_path, text).code.id == "E320"


def test_a_layer_of_two_tops_reads_and_makes_in_order(tmp_path):
    net = load(tmp_path, "inputs: {x: [2, 4]}\nlayers: [{name: s, type: Slice, top: [p, q]}, "
               "{name: e, type: Eltwise, bottom: [q, p]}]")  # fmt: skip
    assert wires(net)["e"] == ["q", "p"]
    assert {key for *_, key in net.graph.edges(keys=True)} == {(0, 0), (1, 0), (0, 1)}


def test_a_large_chain_is_linked_in_linear_time(tmp_path):
    def chain(count):
        layers = "".join(f"  - {{name: r{i}, type: ReLU}}\n" for i in range(count))
        load(tmp_path, X + "layers:\n" + layers)

    chain(1)  # what is imported once
    assert grows(chain, 1_000) < 2.2


def test_many_readers_of_one_blob(tmp_path):
    names = [f"r{i}" for i in range(500)]
    layers = ", ".join(f"{{name: {name}, type: ReLU, bottom: x}}" for name in names)
    net = load(
        tmp_path, X + f"layers: [{layers}, {{name: c, type: Concat, bottom: [{', '.join(names)}]}}]"
    )
    assert net.outputs["c"].channels == 1_500
