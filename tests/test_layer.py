from __future__ import annotations

import pytest

from netspec import codes
from netspec.blob import Blob
from netspec.layer import (
    Floats,
    Layer,
    PerAxis,
    Reject,
    canonical_axis,
    given_together,
    listed,
    need_rank,
    need_ranks,
    param,
    per_axis,
    same_shape,
    shape_of,
    snake,
)


class Made(Layer):
    """A layer type of this test."""

    num_output: int = param(minimum=1, doc="filters")
    kernel_size: PerAxis = param(default=3, minimum=1, doc="extent")
    mode: str = param(default="SUM", choices=("SUM", "MAX"))
    axis: int = param(default=1)
    scale_: float = param(default=1.0, field="scale")
    loss: Floats = param(default=None, message="loss_param")


@pytest.mark.parametrize(
    ("name", "stem"),
    [("InnerProduct", "inner_product"), ("LRN", "lrn"), ("ReLU6", "re_lu6"), ("MVN", "mvn"),
     ("ROIPooling", "roi_pooling"), ("Im2col", "im2col"), ("Exp", "exp")],
)  # fmt: skip
def test_the_message_of_a_type_has_its_stem(name, stem):
    assert snake(name) == stem


def test_params_are_declared_once_and_their_schema_follows():
    assert Made.message == "made_param"
    assert Made.schemas()["made_param"] == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "num_output": {"type": "integer", "minimum": 1, "description": "filters"},
            "kernel_size": {
                "type": ["integer", "array"], "items": {"type": "integer", "minimum": 1},
                "minimum": 1, "description": "extent",
            },
            "mode": {"type": "string", "enum": ["SUM", "MAX"]},
            "axis": {"type": "integer"},
            "scale": {"type": "number"},
        },
        "required": ["num_output"],
    }  # fmt: skip
    assert set(Made.schemas()) == {"made_param", "loss_param"}
    assert Made.needs() == ["made_param"]


def test_a_layer_has_what_the_spec_gives_and_defaults():
    layer = Made(num_output=4, mode="MAX")
    assert (layer.num_output, layer.kernel_size, layer.mode, layer.scale_) == (4, 3, "MAX", 1.0)
    assert layer.given == {"num_output", "mode"}
    assert repr(layer) == "Made(num_output=4, mode='MAX')"


@pytest.mark.parametrize(
    ("value", "values"),
    [(5, (5, 5)), ([5], (5, 5)), ([5, 7], (5, 7)), ([], (1, 1)), (None, (1, 1))],
)
def test_a_repeated_param_is_given_once_or_for_each_axis(value, values):
    assert per_axis(Made(kernel_size=value), "kernel_size", 2, 1) == values


def test_a_repeated_param_of_another_length_is_rejected():
    with pytest.raises(Reject) as caught:
        per_axis(Made(kernel_size=[1, 2, 3]), "kernel_size", 2, 1)
    assert (caught.value.code, caught.value.at) == (codes.WrongParamCount, "kernel_size")
    assert caught.value.facts == {"count": 3, "axes": 2}


@pytest.mark.parametrize(("axis", "found"), [(0, 0), (3, 3), (-1, 3), (-4, 0)])
def test_an_axis_counts_from_either_end(axis, found):
    assert canonical_axis(Made(axis=axis), "axis", Blob((1, 2, 3, 4))) == found


@pytest.mark.parametrize("axis", [4, -5])
def test_an_axis_the_blob_does_not_have_is_rejected(axis):
    with pytest.raises(Reject) as caught:
        canonical_axis(Made(axis=axis), "axis", Blob((1, 2, 3, 4)))
    assert caught.value.code is codes.AxisOutOfRange


@pytest.mark.parametrize(
    ("least", "most", "expected"),
    [(3, 3, "3"), (3, None, "at least 3"), (3, 4, "3 or 4"), (3, 5, "3 to 5"), (0, 1, "0 or 1")],
)
def test_a_blob_of_other_axes_is_rejected_with_those_needed(least, most, expected):
    with pytest.raises(Reject) as caught:
        need_rank(Blob((7, 8)), least, most, 1)
    facts = {"expected": expected, "rank": 2, "shape": "7x8", "bottom": 1}
    assert (caught.value.code, caught.value.facts) == (codes.WrongRank, facts)


@pytest.mark.parametrize(("least", "most"), [(2, 2), (1, 2), (2, 3), (0, None)])
def test_a_blob_of_as_many_axes_passes(least, most):
    need_rank(Blob((7, 8)), least, most)


def test_a_blob_without_axes_is_called_a_scalar():
    with pytest.raises(Reject) as caught:
        need_rank(Blob(()), 1)
    assert caught.value.facts["shape"] == "a scalar"


def test_the_bottom_to_blame_is_the_one_of_other_axes():
    bottoms = (Blob((1, 2)), Blob((1,)), Blob((1, 2, 3)))
    need_ranks(bottoms[:2], 2, 1, 1)
    with pytest.raises(Reject) as caught:
        need_ranks(bottoms, 2, 1, 1)
    assert caught.value.facts["bottom"] == 2


def test_bottoms_of_one_shape_agree_axis_by_axis():
    found = list(same_shape(Blob((1, 2)), Blob((1, 3))))
    assert found == [("axis 0", 1, 1, 1), ("axis 1", 3, 2, 1)]
    with pytest.raises(Reject):
        list(same_shape(Blob((1, 2)), Blob((1,))))


@pytest.mark.parametrize(
    ("value", "values"), [(None, []), (5, [5]), ([5, 7], [5, 7]), ((), []), ({"a": 1}, [{"a": 1}])]
)
def test_a_repeated_field_is_a_list(value, values):
    assert listed(value) == values


def test_two_params_are_given_together_or_not_at_all():
    assert given_together(Made(axis=1, mode="MAX"), "axis", "mode")
    assert not given_together(Made(num_output=1), "axis", "mode")
    with pytest.raises(Reject) as caught:
        given_together(Made(mode="MAX"), "axis", "mode")
    assert (caught.value.code, caught.value.at) == (codes.ParamMissing, "mode")
    assert caught.value.facts == {"param": "axis", "what": " beside `mode`"}


def test_a_shape_is_a_mapping_or_the_list_alone():
    assert shape_of({"dim": [1, "N"]}) == shape_of([1, "N"]) == [1, "N"]
    assert shape_of({"dim": 3}) == [3]
    assert shape_of({}) == []


def test_a_plain_layer_passes_its_bottom_on():
    blob = Blob((2, 3))
    assert Made(num_output=1).infer(blob) is blob
    assert list(Made(num_output=1).weights(blob)) == []
    assert Made(num_output=1).window(blob) is None
