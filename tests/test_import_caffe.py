"""Caffe prototxts as specs: formats, names, phases, data layers, forks, and the YAML written."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import netspec
from netspec.cli import main
from netspec.diagnostics import Report
from netspec.importers import foreign
from tests.roundtrip import facts

GOLDEN = Path(__file__).parent / "golden_caffe"

INPUT = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }\n'
DATA = """\
layer { name: "d" type: "Data" top: "data" top: "label" include { phase: TRAIN }
  transform_param { crop_size: 8 } data_param { batch_size: 64 } }
layer { name: "d" type: "Data" top: "data" top: "label" include { phase: TEST }
  transform_param { crop_size: 8 } data_param { batch_size: 10 } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 5 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss"
  include { phase: TRAIN } }
"""


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def read(text: str, name: str = "net.prototxt", **options: Any) -> netspec.Net:
        file = tmp_path / name
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        return netspec.load(str(file), **options)

    return read


def refusal(load: Any, text: str, **options: Any) -> list[str]:
    with pytest.raises(netspec.SpecError) as caught:
        load(text, **options)
    return [str(each).rpartition("net.prototxt:")[2] for each in caught.value.diagnostics]


def rendered(load: Any, text: str, **options: Any) -> str:
    with pytest.raises(netspec.SpecError) as caught:
        load(text, **options)
    return str(caught.value)


def written(path: Path, flat: bool = False, **shapes: list[Any]) -> str:
    return foreign.spec_text(str(path), Report(), shapes, flat=flat)


def test_places_are_those_of_the_prototxt(load: Any) -> None:
    text = INPUT + 'layer { name: "c" type: "InnerProduct" bottom: "q" top: "c"\n' \
        "  inner_product_param { num_output: 0 } }\n"  # fmt: skip
    found = refusal(load, text)
    assert found == ["3:37: error[E204]: `num_output: 0` must be at least 1"]
    found = refusal(load, text.replace("num_output: 0", "num_output: 1"))
    assert found == ["2:48: error[E320]: no layer before `c` makes the blob `q`"]


def test_repeated_fields_of_one_value(load: Any) -> None:
    net = load(
        'input: "x" input_dim: 1 input_dim: 3 input_dim: 9 input_dim: 7\n'
        'layer { name: "c" type: "Convolution" bottom: "x" top: "c" '
        "convolution_param { num_output: 4 kernel_size: 3 pad: 1 engine: CUDNN } }"
    )
    entry = net.flat.nodes[0].entry
    assert entry["bottom"] == "x"
    assert entry["convolution_param"] == {"num_output": 4, "kernel_size": 3, "pad": 1}
    assert str(net.outputs["c"]) == "1x4x9x7"


@pytest.mark.parametrize("shapes", ["input_dim: 2 input_dim: 3", "input_shape { dim: 2 }"])
def test_inputs_without_enough_shapes(load: Any, shapes: str) -> None:
    found = refusal(load, f'input: "x" input: "y" {shapes}\nlayer {{ type: "ReLU" bottom: "x" }}')
    assert "error[E625]" in found[0]


def test_names_that_are_taken_or_absent(load: Any) -> None:
    ip = (
        'layer {{ {} type: "InnerProduct" bottom: "x" top: "{}" '
        "inner_product_param {{ num_output: 1 }} }}\n"
    )
    net = load(
        INPUT + ip.format('name: "a"', "p") + ip.format('name: "a"', "q") + ip.format("", "r")
    )
    assert [node.name for node in net.flat.nodes] == ["a", "a_2", "r"]
    assert net.spec.document.renamed == {"a_2": "a", "r": ""}
    assert len(netspec.build(net).state_dict()) == 6


def test_one_name_in_two_phases_is_kept(load: Any) -> None:
    drop = 'layer {{ name: "d" type: "{}" bottom: "x" top: "y" include {{ {} }} }}\n'
    text = INPUT + drop.format("ReLU", "phase: TRAIN") + drop.format("TanH", "phase: TEST")
    assert [node.type for node in load(text, phase="train").flat.nodes] == ["ReLU"]
    net = load(text)
    assert [(node.name, node.type) for node in net.flat.nodes] == [("d", "TanH")]
    text = INPUT + drop.format("ReLU", 'stage: "s"') + drop.format("TanH", 'not_stage: "s"')
    assert [node.name for node in load(text, stages=["s"]).flat.nodes] == ["d"]
    assert load("state { stage: 's' }" + text).flat.nodes[0].type == "ReLU"


def test_a_loss_without_top_has_one(load: Any) -> None:
    text = DATA.replace(' top: "loss"', "")
    net = load(text, phase="train", inputs={"data": [4, 3, 8, 8]})
    assert list(net.outputs) == ["loss"]


def test_unknown_fields_and_types_at_once(load: Any, tmp_path: Path) -> None:
    text = INPUT + (
        'layer { name: "a" type: "ReLU" bottom: "x" top: "a" relu_param { slope: 1 } }\n'
        'layer { name: "b" type: "TanH" bottom: "a" top: "b" foo_param { bar: 1 } }\n'
    )
    found = refusal(load, text)
    assert [each.partition(": ")[0] for each in found] == ["2:66", "3:53"]
    allowed = foreign.document(str(tmp_path / "net.prototxt"), Report(), {}, allow_unknown=True)
    assert len(allowed.value["layers"]) == 2
    assert "slope" not in str(allowed.value)


def test_what_nobody_knows_is_said_once(load: Any) -> None:
    """A type or a field of a fork that many layers have is one complaint, not one a layer."""
    layer = 'layer { name: "a" type: "Foo" bottom: "x" top: "y" foo_param { a: 1 b: 2 } }\n'
    (found,) = refusal(load, INPUT + 3 * layer)
    assert found.startswith("2:25: error[E206]: unknown layer type `Foo`")
    assert "3 layers are of this type" in rendered(load, INPUT + 3 * layer)
    relu = 'layer { name: "a" type: "ReLU" bottom: "x" top: "y" relu_param { slope: 1 slope: 2 } }'
    (found,) = refusal(load, INPUT + relu)
    assert found.startswith("2:66: error[E603]")
    assert "it is given 2 times" in rendered(load, INPUT + relu)


def test_fields_of_forks(load: Any) -> None:
    head = 'input: "x" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8\n'
    pool = (
        'layer {{ name: "p" type: "Pooling" bottom: "x" top: "p" '
        "pooling_param {{ kernel_size: 3 stride: 2 {} }} }}"
    )
    assert str(load(head + pool.format("")).outputs["p"]) == "1x3x4x4"
    assert str(load(head + pool.format("ceil_mode: false")).outputs["p"]) == "1x3x3x3"
    norm = (
        'layer { name: "b" type: "BN" bottom: "x" top: "b" '
        'bn_param { slope_filler { type: "constant" value: 1 } } }'
    )
    assert load(head + norm).flat.nodes[0].type == "BN"


def test_memory_data_of_a_fork(load: Any) -> None:
    text = (
        'layer { name: "d" type: "MemoryData" top: "d" top: "i" memory_data_param { %s } }\n'
        'layer { name: "s" type: "Silence" bottom: "d" bottom: "i" }'
    )
    net = load(text % "dim: 1 dim: 2 dim: 8", inputs={"i": [1]})
    assert {name: str(blob) for name, blob in net.inputs.items()} == {"d": "1x2x8", "i": "1"}
    (found,) = refusal(load, text % "batch_size: 1")
    assert found == "1:56: error[E408]: `d` needs `channels` (an extent of the data)"


def test_a_pooling_of_a_fork_says_each_axis(load: Any) -> None:
    text = (
        'input: "d" input_shape { dim: [1, 2, 8, 9, 9] }\n'
        'layer { name: "p" type: "Pooling" bottom: "d" top: "p" '
        "pooling_param { kernel_size: 1 kernel_size: 2 kernel_size: 3 stride: [1, 2, 3] pad: 0 "
        "dilation: 1 } }"
    )
    net = load(text)
    assert net.flat.nodes[0].entry["pooling_param"]["kernel_size"] == [1, 2, 3]
    assert str(net.outputs["p"]) == "1x2x8x5x3"
    found = refusal(load, text.replace("kernel_size: 3", "round_mode: FLOOR round_mode: CEIL"))
    assert found == ["2:120: error[E604]: `round_mode` holds one value, and is given twice"]


def test_types_of_forks(load: Any, tmp_path: Path) -> None:
    old = (
        'input: "x" input_dim: 1 input_dim: 3 input_dim: 13 input_dim: 13\n'
        'layers { name: "p" type: SPATIAL_PYRAMID_POOLING bottom: "x" top: "p" '
        "spatial_pyramid_pooling_param { pool: MAX spatial_bin: 1 spatial_bin: 6 scale: 1 } }"
    )
    assert str(load(old).outputs["p"]) == "1x150"  # 1 and 7 x 7 windows of 3 channels
    assert refusal(load, old.replace("SPATIAL_PYRAMID", "SPATIAL_HEAP"))[0].startswith("2:26: ")
    cells = (
        'input: "x" input_dim: 6 input_dim: 2 input_dim: 1 input_dim: 1\n'
        'layer { name: "l" type: "Lstm" bottom: "x" top: "l" '
        "lstm_param { num_output: 4 clipping_threshold: 0.1 } }"
    )
    assert load(cells).flat.nodes[0].type == "ClippedLSTM"
    file, spec, back = (tmp_path / name for name in ("l.prototxt", "l.yaml", "back.prototxt"))
    file.write_text(cells)
    assert main(["import", str(file), "-o", str(spec)]) == 0
    assert main(["export", str(spec), "-o", str(back)]) == 0
    assert 'type: "Lstm"' in back.read_text()
    assert facts(netspec.load(str(back))) == facts(netspec.load(str(file)))
    merge = (
        'input: "x" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8\n'
        'layer { name: "m" type: "MergeCrop" bottom: "x" bottom: "x" top: "m" '
        "mergecrop_param { forward: true forward: false backward: 0 operation: ADD } }"
    )
    assert load(merge).flat.nodes[0].entry["mergecrop_param"] == {
        "forward": [True, False], "backward": False, "operation": "ADD"
    }  # fmt: skip
    # a field of true or false that is given twice, or a message, is refused and no traceback
    for given in "flip_width: true flip_width: false", "flip_width { a: 1 }":
        flip = 'layer { name: "f" type: "Flip" bottom: "x" top: "f" flip_param { ' + given + " } }"
        assert "E203" in refusal(load, merge.partition("\n")[0] + "\n" + flip)[0]


def test_data_layers_ask_for_what_they_do_not_say(load: Any) -> None:
    (found, *_) = refusal(load, DATA, phase="train")
    assert found == "1:37: error[E624]: the file does not say the shape of `data`"
    with pytest.raises(netspec.SpecError, match="--shape data=N,3,8,8"):
        load(DATA)
    net = load(DATA, phase="train", inputs={"data": [4, 3, 8, 8]})
    assert {name: str(blob) for name, blob in net.inputs.items()} == {
        "data": "4x3x8x8",
        "label": "4",
    }
    assert list(load(DATA, inputs={"data": [4, 3, 8, 8]}).inputs) == ["data"]


def test_a_data_layer_of_one_phase_stays_in_it(load: Any) -> None:
    text = DATA.replace("include { phase: TEST }", "include { phase: TEST stage: 's' }")
    assert load(text, phase="train", inputs={"data": [4, 3, 8, 8]}).inputs.keys() == {
        "data",
        "label",
    }
    assert "makes the blob `data`" in refusal(load, text, inputs={"data": [4, 3, 8, 8]})[0]


def test_what_transform_param_says_of_images(load: Any) -> None:
    """A mean for each channel counts the channels, and SSD's resize_param says the size."""
    data = (
        'layer {{ name: "d" type: "{}" top: "data" top: "label" data_param {{ batch_size: 4 }}\n'
        "  transform_param {{ {} }} }}\n"
        'layer {{ name: "r" type: "ReLU" bottom: "data" top: "r" }}\n'
        'layer {{ name: "s" type: "Silence" bottom: "label" }}\n'
    )
    net = load(data.format("Data", "crop_size: 8 mean_value: 1 mean_value: 2"))
    assert str(net.outputs["r"]) == "4x2x8x8"
    assert "data=4,3,8,8" in rendered(load, data.format("Data", "crop_size: 8 mean_value: 1"))
    size = "mean_value: [1, 2, 3] resize_param {{ height: 6 width: 5 {} }}"
    # what a label is only the fork knows
    text = rendered(load, data.format("AnnotatedData", size.format("")))
    assert "--shape label=N,..." in text and "--shape data" not in text
    net = load(data.format("AnnotatedData", size.format("")), inputs={"label": [1, 1, "M", 8]})
    assert str(net.outputs["r"]) == "4x3x6x5"
    text = rendered(load, data.format("AnnotatedData", size.format("resize_mode: FIT_SMALL_SIZE")))
    assert "--shape data=4,3,224,224" in text


def test_a_type_that_makes_something_of_nothing_is_data(load: Any) -> None:
    """How a fork's layer makes data is no part of the net; a misspelt name is no fork's."""
    text = (
        'layer { name: "m" type: "Marker" top: "m" marker_param { step: 4 } }\n'
        'layer { name: "r" type: "ReLU" bottom: "m" top: "r" }\n'
    )
    (found,) = refusal(load, text)
    assert found.startswith("1:39: error[E624]")
    assert "--shape m=N,3,224,224" in rendered(load, text)
    assert str(load(text, inputs={"m": [4, 2]}).outputs["r"]) == "4x2"
    found = refusal(load, text.replace("Marker", "DumyData"))[0]
    assert "E624" in found
    assert "did you mean `Parameter`?" in rendered(load, text.replace("Marker", "Paramter"))


def test_a_data_layer_that_stays_keeps_its_blobs(load: Any, tmp_path: Path) -> None:
    """Training reads a database with labels, testing is given the data alone."""
    head, _, rest = DATA.partition('layer { name: "ip"')
    text = head.partition("\nlayer")[0] + (
        '\nlayer { name: "e" type: "Input" top: "data" include { phase: TEST }\n'
        "  input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }\n"
        'layer { name: "ip"'
    ) + rest  # fmt: skip
    shapes = {"data": [4, 3, 8, 8]}
    assert str(load(text, phase="train", inputs=shapes).flat.nodes[1].tops[0].blob) == "4x5"
    assert str(load(text).outputs["ip"]) == "1x5"
    spec = tmp_path / "net.yaml"
    spec.write_text(written(tmp_path / "net.prototxt", data=[4, 3, 8, 8]))
    assert "inputs:" not in spec.read_text()
    for phase, wanted in (("train", "4x5"), ("test", "1x5")):
        assert str(netspec.load(str(spec), phase=phase).flat.nodes[1].tops[0].blob) == wanted


def test_what_no_layer_reads_is_not_asked_for(load: Any, tmp_path: Path) -> None:
    text = (
        'layer { name: "p" type: "Python" top: "x" top: "boxes" }\n'
        'layer { name: "r" type: "ReLU" bottom: "x" top: "r" }\n'
        'layer { name: "m" type: "HDF5Data" top: "y" top: "l" include { phase: TRAIN } }\n'
        'layer { name: "s" type: "ReLU" bottom: "y" top: "s" include { phase: TRAIN } }\n'
    )
    given = {"x": [2, 3], "y": [2, 4]}  # of which a test has one
    assert list(load(text, inputs=given).inputs) == ["x"]
    with pytest.raises(netspec.SpecError, match="no input of the spec is called `z`"):
        load(text, inputs={**given, "z": [1]})
    spec = written(tmp_path / "net.prototxt", x=[2, 3], y=[2, 4], l=[2])
    assert "x: [2, 3]" in spec and "boxes" not in spec


def test_what_a_part_of_a_net_reads_can_be_given(load: Any, tmp_path: Path) -> None:
    text = 'layer { name: "a" type: "ReLU" bottom: "x" top: "a" }\n'
    (found,) = refusal(load, text)
    assert found.startswith("1:40: error[E320]")
    assert "--shape x=N,... makes it an input" in rendered(load, text)
    net = load(text, inputs={"x": [2, 3]})
    assert str(net.inputs["x"]) == "2x3" and str(net.outputs["a"]) == "2x3"
    assert "x: [2, 3]" in written(tmp_path / "net.prototxt", x=[2, 3])


def test_what_python_code_makes_is_written_too(load: Any, tmp_path: Path) -> None:
    text = INPUT + (
        'layer { name: "p" type: "Python" bottom: "x" top: "p" top: "q"\n'
        '  python_param { module: "m" layer: "L" } }\n'
        'layer { name: "r" type: "ReLU" bottom: "q" top: "r" }\n'
    )
    (found,) = refusal(load, text)
    assert found.startswith("2:51: error[E624]")
    assert "--shape p=N,..." in rendered(load, text)
    given = {"p": ["N", 4], "q": [2, 5]}
    assert str(load(text, inputs=given).outputs["r"]) == "2x5"
    spec, back = tmp_path / "net.yaml", tmp_path / "back.prototxt"
    spec.write_text(written(tmp_path / "net.prototxt", **given))
    assert {name: str(blob) for name, blob in netspec.load(str(spec)).outputs.items()} == {
        "p": "Nx4",
        "r": "2x5",
    }
    assert main(["export", str(spec), "--at", "N=3", "-o", str(back)]) == 0
    assert str(netspec.load(str(back)).outputs["p"]) == "3x4"


def test_words_that_forks_added_to_v1(load: Any) -> None:
    """They are types of today, in capitals; the CROP of the first FCNs alone is not Crop."""
    text = (
        'input: "x" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8\n'
        'layers { type: PRELU bottom: "x" top: "x" }\n'
        'layers { type: BN bottom: "x" top: "b" bn_param { scale_filler { value: 1 } } }\n'
        'layers { type: RESHAPE bottom: "b" top: "r" reshape_param { shape { dim: 0 dim: -1 } } }\n'
        'input: "rois" input_dim: 2 input_dim: 5 input_dim: 1 input_dim: 1\n'
        'layers { type: ROI_POOLING bottom: "b" bottom: "rois" top: "p"\n'
        "  roi_pooling_param { pooled_w: 2 pooled_h: 3 } }\n"
    )
    net = load(text)
    assert [node.type for node in net.flat.nodes] == ["PReLU", "BN", "Reshape", "ROIPooling"]
    assert str(net.outputs["r"]) == "1x192" and str(net.outputs["p"]) == "2x3x3x2"
    crop = 'layers { type: CROP bottom: "b" bottom: "x" top: "c" }'
    assert "unknown layer type `CROP`" in refusal(load, text + crop)[-1]


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("pool: 'MAX'", "without the quotes: MAX"),
        ("kernel_size: 2.0", "write 2"),
        ("global_pooling: TRUE", "write true"),
        ('global_pooling: "False"', "write false"),
        ("} blobs_lr: 1 param {", "in `layer` it is param { lr_mult: .. }"),
        ("} type: POOLING param {", 'put it in quotes: "Pooling"'),
    ],
)
def test_mistakes_that_many_make_have_a_hint(load: Any, said: str, hint: str) -> None:
    kind = "" if "type" in said else 'type: "Pooling"'
    text = INPUT + f'layer {{ name: "p" {kind} bottom: "x" top: "p" pooling_param {{ {said} }} }}'
    assert hint in rendered(load, text)
    old = 'layers { type: "Pooling" bottom: "x" top: "p" }'
    assert "types stand in quotes in `layer`" in rendered(load, old)
    assert "a comment starts with `#`" in rendered(load, "// " + old)


def test_padding_layers_join_their_readers(load: Any) -> None:
    net = netspec.load(str(GOLDEN / "layers" / "_Legacy" / "v0_conv_pool_pad" / "net.prototxt"))
    assert "padding" not in {node.type for node in net.flat.nodes}
    assert any(node.entry.get("convolution_param", {}).get("pad") for node in net.flat.nodes)
    text = (
        'input: "x" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8\n'
        'layers { layer { name: "p" type: "padding" pad: 1 } bottom: "x" top: "p" }\n'
        'layers { layer { name: "r" type: "relu" } bottom: "p" top: "r" }\n'
    )
    assert refusal(load, text) == ["3:51: error[E626]: `r` cannot be joined with its padding layer"]


def test_names_that_a_spec_would_misread(load: Any, tmp_path: Path) -> None:
    text = INPUT + (
        'layer { name: "$a${b}" type: "ReLU" bottom: "x" top: "true" }\n'
        'layer { name: "\\377" type: "ReLU" bottom: "x" top: "1 : 2" }\n'
    )
    net = load(text)
    assert [node.name for node in net.flat.nodes] == ["_a__b_", "_"]
    assert net.spec.document.renamed["_a__b_"] == "$a${b}"
    assert list(net.outputs) == ["true", "1 : 2"]
    (tmp_path / "net.yaml").write_text(written(tmp_path / "net.prototxt"))
    assert facts(netspec.load(str(tmp_path / "net.yaml"))) == facts(net)


def test_what_is_written(tmp_path: Path) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(
        "# a small net\n"
        + DATA.replace('layer { name: "ip"', '# the classifier\nlayer { name: "ip"')
    )
    assert (
        written(file, data=["N", 3, 8, 8])
        == """\
# a small net
inputs:
  data: [N, 3, 8, 8]
  label: [N]
layers:
  # the classifier
  - {name: ip, type: InnerProduct, bottom: data, inner_product_param: {num_output: 5}}
  - {name: loss, type: SoftmaxWithLoss, bottom: [ip, label], include: [{phase: TRAIN}]}
"""
    )


def test_what_repeats_becomes_a_block(tmp_path: Path) -> None:
    path = GOLDEN / "nets" / "googlenet" / "net.prototxt"
    text = written(path)
    assert text.count("block: inception") == 9 and text.count("\n") < 90
    (tmp_path / "net.yaml").write_text(text)
    assert facts(netspec.load(str(tmp_path / "net.yaml"))) == facts(netspec.load(str(path)))
    assert "blocks:" not in written(path, flat=True)


def test_comments_stay_with_their_layers(tmp_path: Path) -> None:
    """Also where a block stands for the layers after which a comment stands."""
    text = '# a net\ninput: "x" input_dim: 1 input_dim: 4 input_dim: 8 input_dim: 8\n'
    last = "x"
    for stage in (1, 2):
        text += f"####### stage {stage} #######\n"
        for index in (1, 2, 3):
            for kind, top in (("Convolution", f"conv{stage}_{index}"), ("ReLU", "")):
                name = top or f"relu{stage}_{index}"
                param = "convolution_param { num_output: 4 kernel_size: 1 } # one by one\n"
                text += (
                    f'layer {{ name: "{name}" type: "{kind}" bottom: "{last}" '
                    f'top: "{top or last}" {param if top else ""}}}\n'
                )
                last = top or last
    text += "#layer {\n#  type: 'LRN'\n#}\n# ======\n# === end ===\n"
    text += f'layer {{ name: "p" type: "Pooling" bottom: "{last}" top: "p" }}\n# last'
    file = tmp_path / "net.prototxt"
    file.write_text(text.replace('"p" }', '"p" pooling_param { global_pooling: true } }'))
    lines = [line.strip().partition(", ")[0] for line in written(file).splitlines()]
    assert lines[0] == "# a net" and lines[-1] == "# last"
    layers = lines[len(lines) - lines[::-1].index("layers:") - 1 :]
    assert layers == [
        "layers:",
        "# stage 1", "# one by one", "- {name: conv1_3",
        "# stage 2", "# one by one", "- {name: conv2_3",
        "# layer {", "#  type: 'LRN'", "# }", "# end", "- {name: p", "# last",
    ]  # fmt: skip


def test_chains_become_repeats(tmp_path: Path) -> None:
    conv = """layer {{ name: "conv{0}_{1}" type: "Convolution" bottom: "{2}" top: "conv{0}_{1}"
      convolution_param {{ num_output: {3} kernel_size: 3 pad: 1 }} }}
    layer {{ name: "relu{0}_{1}" type: "ReLU" bottom: "conv{0}_{1}" top: "conv{0}_{1}" }}
    """
    text, last = 'input: "x" input_dim: 1 input_dim: 3 input_dim: 32 input_dim: 32\n', "x"
    for stage, (count, width) in enumerate([(2, 8), (2, 16), (3, 32)], 1):
        for index in range(1, count + 1):
            text += conv.format(stage, index, last, width)
            last = f"conv{stage}_{index}"
        text += f"""layer {{ name: "pool{stage}" type: "Pooling" bottom: "{last}" top: "pool{stage}"
          pooling_param {{ kernel_size: 2 stride: 2 }} }}\n"""
        last = f"pool{stage}"
    file, spec = tmp_path / "vgg.prototxt", tmp_path / "vgg.yaml"
    file.write_text(text)
    spec.write_text(written(file))
    assert spec.read_text().count("repeat:") == 3
    assert facts(netspec.load(str(spec))) == facts(netspec.load(str(file)))


NETS = sorted(path.parent.name for path in (GOLDEN / "nets").glob("*/net.prototxt"))


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("phase", ["test", "train"])
def test_there_and_back(name: str, phase: str, tmp_path: Path) -> None:
    """Prototxt to spec to prototxt to spec: one net."""
    path = GOLDEN / "nets" / name / "net.prototxt"
    spec, back = tmp_path / "net.yaml", tmp_path / "back.prototxt"
    assert main(["import", str(path), "-o", str(spec)]) == 0
    assert main(["export", str(spec), "-o", str(back)]) == 0
    wanted = facts(netspec.load(str(path), phase=phase))
    assert facts(netspec.load(str(spec), phase=phase)) == wanted
    assert facts(netspec.load(str(back), phase=phase)) == wanted


def test_symbols_and_phases_of_an_export(
    load: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A prototxt has no symbols, and a phase in which the net is broken cannot be written."""
    spec, back = tmp_path / "net.yaml", tmp_path / "back.prototxt"
    spec.write_text(
        "inputs: {x: [N, 3], y: [N, 3]}\nlayers:\n"
        "  - {name: i, type: Input, input_param: {shape: [2 * N, 3]}, include: [{phase: TRAIN}]}\n"
        "  - {name: r, type: ReLU, bottom: i}\n"
        "  - {name: s, type: Eltwise, bottom: [x, y]}\n"
    )
    export = ["export", str(spec), "-o", str(back), "--force"]
    assert main(export) == 1
    said = capsys.readouterr().out
    assert said.count("--at N=1") == 3 and "5:5" not in said
    assert main([*export, "--shape", "x=4,3"]) == 0
    text = back.read_text()
    assert text.startswith("# The phase TEST is left out: no layer before `r` makes the blob `i`\n")
    assert "dim: 8 dim: 3" in text and text.count("dim: 4 dim: 3") == 2
    assert str(netspec.load(str(back), phase="train").outputs["r"]) == "8x3"
    assert main([*export, "--at", "N=4", "--phase", "train"]) == 0
    assert back.read_text() == text.partition("\n")[2]
    assert main([*export, "--at", "N=4", "--phase", "test"]) == 1
    assert "no layer before `r`" in capsys.readouterr().out


def test_an_export_of_stages_keeps_their_layers_in_order(tmp_path: Path) -> None:
    """Also where a net is whole only with two stages at once."""
    spec, back = tmp_path / "net.yaml", tmp_path / "back.prototxt"
    data = "  - {{name: {0}, type: Input, top: x, input_param: {{shape: {{dim: [1, 3]}}}}, {1}}}\n"
    layers = [
        data.format("a", "include: [{phase: TRAIN}]"),
        data.format("b", "include: [{phase: TEST, stage: val}]"),
        data.format("c", "include: [{phase: TEST, stage: deploy, not_stage: val}]"),
        "  - {name: r, type: ReLU, bottom: x, exclude: [{stage: frozen}]}\n",
        "  - {name: s, type: TanH, bottom: x, top: r, include: [{stage: frozen}]}\n",
        "  - {name: t, type: Sigmoid, bottom: r}\n",
        "  - {name: u, type: AbsVal, bottom: r, include: [{stage: val}]}\n",
    ]
    spec.write_text("layers:\n" + "".join(layers))
    assert main(["export", str(spec), "-o", str(back)]) == 0
    names = [line.split('"')[1] for line in back.read_text().splitlines() if "  name:" in line]
    assert names == list("abcrstu")
    stages = ["val", "frozen"]
    wanted = facts(netspec.load(str(spec), stages=stages))
    assert facts(netspec.load(str(back), stages=stages)) == wanted


def test_commands_take_a_prototxt(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(GOLDEN / "nets" / "lenet" / "net.prototxt")]) == 0
    assert "431,080" in capsys.readouterr().out.replace("431080", "431,080")


def test_a_solver_brings_its_net(tmp_path: Path) -> None:
    folder = GOLDEN / "solvers" / "adam_conv_bn"
    net = netspec.load(str(folder / "solver.prototxt"), phase="train")
    assert net.spec.solver["type"] == "Adam" and net.flat.nodes
    alone = tmp_path / "solver.prototxt"
    alone.write_bytes((folder / "solver.prototxt").read_bytes())
    text = written(alone)
    assert "solver:" in text and "layers" not in text


def test_a_solver_alone_keeps_its_comments_and_says_its_net(tmp_path: Path) -> None:
    file = tmp_path / "solver.prototxt"
    file.write_text(
        'net: "a/b.prototxt" # not here\n# small\nbase_lr: 0.1 # at first\n'
        "solver_type: ADAM # new\n# ----\n#max_iter: 9\ndisplay: 2\n# the end\n"
    )
    assert written(file).splitlines() == [
        "# not here", "notes: The solver trains the net a/b.prototxt", "solver:",
        "  # small", "  # at first", "  base_lr: 0.1", "  # new", "  type: Adam",
        "  # max_iter: 9", "  display: 2", "# the end",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "place", ["${N}", "$N", "{n}", "{{ n }}", "%d", "%(n)s", "@N@", "<%= n %>"]
)
def test_a_template_is_called_one(load: Any, place: str) -> None:
    text = 'layer { name: "c" inner_product_param { num_output: ' + place + " } }"
    (found,) = refusal(load, text)
    assert "error[E600]" in found and "this is a template" in found
    assert "template" not in refusal(load, "layer { x { a { b } } }")[0]


TOKENS = [
    b'"', b"{", b"}", b"-1", b"99999999999", b"1e400", b"layer {", b"layers {", b"\xff", b"inf",
    b'bottom: "x"', b'type: "Data"', b"dim: 0", b"$x", b"axis: -9", b"include { phase: TRAIN }",
    b"blobs_lr: 1", b'input: "q" input_dim: 3', b"shape { dim: 4000000000 }", b"phase: TEST",
]  # fmt: skip


def test_damaged_files_end_in_diagnostics(tmp_path: Path) -> None:
    """No mistake in a file is a traceback, in reading or in writing."""
    seeds = sorted((GOLDEN / "layers").glob("*/*/net.prototxt"))
    random_ = random.Random(7)
    file = tmp_path / "net.prototxt"
    refused = 0
    for _ in range(400):
        data = bytearray(random_.choice(seeds).read_bytes())
        for _ in range(random_.randint(1, 3)):
            at = random_.randrange(len(data))
            if random_.random() < 0.6:
                data[at:at] = b" " + random_.choice(TOKENS) + b" "
            else:
                del data[at : at + random_.randint(1, 12)]
        file.write_bytes(data)
        try:
            netspec.load(str(file), phase=random_.choice(["test", "train"]))
            written(file)
        except netspec.SpecError as error:
            assert error.diagnostics and str(error)
            refused += 1
    assert 100 < refused < 400
