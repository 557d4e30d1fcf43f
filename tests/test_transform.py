"""netspec transform: what it writes, what it says, what it refuses."""

from __future__ import annotations

import io
import json
import struct
from types import SimpleNamespace

import pytest

import netspec
from netspec.cli import main
from netspec.diagnostics import Report
from netspec.document import parse, read_text
from netspec.plugins import Folder

SPEC = """\
# a head comment
name: Small
vars: {classes: 10}
inputs:
  data: [N, 3, 16, 20] # rows and columns
  label: {shape: [N], dtype: int64}
layers:
  # the trunk
  - {name: c, type: Convolution, bottom: data, convolution_param: {num_output: 4, kernel_size: 3}}
  - {name: pool, type: Pooling, pooling_param: {pool: MAX, kernel_size: 2, stride: 2}}
  - name: fc1
    type: InnerProduct
    param: [{lr_mult: 1}, {lr_mult: 2}]
    inner_product_param:
      num_output: 6 # hidden
      axis: 1
      bias_filler: {value: 1}
  - {name: relu, type: ReLU, top: fc1}
  - {name: fc2, type: InnerProduct, inner_product_param: {axis: 1, num_output: $classes}}
  - {name: prob, type: Softmax, include: {phase: TEST}}
  - {name: loss, type: SoftmaxWithLoss, bottom: [fc2, label], include: [{phase: TRAIN}]}
expect: {params: 1234, outputs: {prob: [N, 10]}} # as it was
"""
CHANGED = """\
# a head comment
name: Small
vars: {classes: 10}
inputs:
  data: [N, 3, H, W] # rows and columns
layers:
  # the trunk
  - {name: c, type: Convolution, bottom: data, convolution_param: {num_output: 4, kernel_size: 3}}
  - {name: pool, type: Pooling, pooling_param: {pool: MAX, kernel_size: 2, stride: 2}}
  - name: fc1
    type: Convolution
    param: [{lr_mult: 1}, {lr_mult: 2}]
    convolution_param:
      num_output: 6 # hidden
      kernel_size: [7, 9]
      bias_filler: {value: 1}
  - {name: relu, type: ReLU, top: fc1}
  - {name: fc2, type: Convolution, convolution_param: {num_output: $classes, kernel_size: 1}}
  - {name: prob, type: Softmax}
expect: {at: {N: 1, H: 16, W: 20}, params: 1700, macs: 28788, outputs: {prob: [N, 10, 1, 1]}}
"""


def spec_of(layers: str, inputs: str = "{data: [N, 3, 8, 8]}", head: str = "") -> str:
    return f"{head}inputs: {inputs}\nlayers:\n" + "".join(
        f"  - {{{line}}}\n" for line in layers.strip().split("\n")
    )


def dense(name: str, more: str = "", width: int = 5) -> str:
    return f"name: {name}, type: InnerProduct, inner_product_param: {{num_output: {width}{more}}}"


@pytest.fixture
def run(tmp_path, capsys):
    def go(text: str, *options: str) -> tuple[int, str, str, str]:
        source, target = tmp_path / "net.yaml", tmp_path / "out.yaml"
        source.write_text(text, encoding="utf-8")
        target.unlink(missing_ok=True)
        argv = ["transform", "fc2conv", str(source), "-o", str(target), "--force", *options]
        code = main(argv)
        said = capsys.readouterr()
        made = target.read_text(encoding="utf-8") if code == 0 else ""
        assert code == 0 or not target.exists()
        return code, made, said.out, said.err

    return go


def test_the_text_is_kept(run):
    code, made, said, _ = run(SPEC)
    assert (code, made) == (0, CHANGED)
    assert said == (
        "fc1: InnerProduct -> Convolution, kernel 7x9, weight 6x252 -> 6x4x7x9\n"
        "fc2: InnerProduct -> Convolution, kernel 1x1, weight 10x6 -> 10x6x1x1\n"
        "data: Nx3x16x20 -> Nx3xHxW\n"
        "loss: left out, it is of another phase or stage\n"
        "label: left out, no layer reads it now\n"
        "prob: Nx10 -> Nx10x(ceil(H/2)-7)x(ceil(W/2)-9)\n"
    )


def test_the_new_spec_is_clean_and_its_own_fixed_point(run, tmp_path, capsys):
    run(SPEC)
    assert main(["check", "-q", str(tmp_path / "out.yaml")]) == 0
    code, _, said, _ = run(CHANGED)
    assert code == 1
    assert "error[E700]" in said and "no dense layer that reads a map" in said


def test_without_an_output_the_changes_go_to_the_errors(tmp_path, capsys):
    (tmp_path / "net.yaml").write_text(SPEC)
    assert main(["transform", "fc2conv", str(tmp_path / "net.yaml")]) == 0
    said = capsys.readouterr()
    assert said.out == CHANGED
    assert said.err.startswith("fc1: InnerProduct -> Convolution")


def test_other_texts_are_written_anew(run):
    value = parse(read_text("spec", SPEC, Report()), Report()).value
    code, made, said, _ = run(json.dumps(value))
    assert code == 0 and "comments" not in said
    assert parse(read_text("a", made, Report()), Report()).value == (
        parse(read_text("b", CHANGED, Report()), Report()).value
    )


def test_an_aliased_param_is_changed_where_it_is_meant(run):
    text = spec_of(
        "name: conv, type: Convolution, convolution_param: {num_output: 4, kernel_size: 3}\n"
        "name: fc1, type: InnerProduct, inner_product_param: &p {num_output: 5}\n"
        "name: fc2, type: InnerProduct, inner_product_param: *p"
    ) + "# the end\n"  # fmt: skip
    code, made, said, _ = run(text)
    assert code == 0 and "the comments are not kept" in said
    layers = parse(read_text("a", made, Report()), Report()).value["layers"]
    assert [each["convolution_param"]["kernel_size"] for each in layers] == [3, 6, 1]


def test_a_scale_becomes_the_spec(run):
    text = SPEC.replace("vars: {classes: 10}", "vars: {classes: ~}").replace(
        "inputs:", "scales:\n  a: {classes: 3}\n  b: {classes: 4} # more\ninputs:", 1
    )
    _, made, said, _ = run(text, "--scale", "b")
    assert "scales" not in made and "vars: {classes: 4}" in made and "name: b\n" in made
    assert "fc2: InnerProduct -> Convolution, kernel 1x1, weight 4x6 -> 4x6x1x1" in said
    _, made, _, _ = run(text)
    assert "  a: {classes: 3}\n  b: {classes: 4} # more\n" in made
    assert made.endswith(
        "expect:\n"
        "  - {scale: a, at: {N: 1, H: 16, W: 20}, params: 1651, macs: 28746, "
        "outputs: {prob: [N, 3, 1, 1]}}\n"
        "  - {scale: b, at: {N: 1, H: 16, W: 20}, params: 1658, macs: 28752, "
        "outputs: {prob: [N, 4, 1, 1]}}\n"
    )


def test_a_variable_that_is_set_becomes_the_default(run):
    _, made, _, _ = run(SPEC, "--set", "classes=7")
    assert "vars: {classes: 7}" in made and "outputs: {prob: [N, 7, 1, 1]}" in made


def test_the_other_phase_can_be_chosen(run):
    _, made, said, _ = run(SPEC, "--phase", "train")
    assert "name: prob" not in made and "name: loss" not in made
    assert "prob: left out, it is of another phase or stage\n" in said
    assert "loss: left out, it compares one answer with one label\n" in said
    assert "label: left out, no layer reads it now\n" in said
    assert made.endswith("outputs: {fc2: [N, 10, 1, 1]}}\n")


def test_a_size_that_is_open_must_be_given(run):
    text = spec_of(dense("fc"), "{data: [N, 3, H, W]}")
    code, _, said, _ = run(text)
    assert code == 1 and "give the size it is for: --at H=...,W=..." in said
    code, made, said, _ = run(text, "--at", "H=4,W=6")
    assert code == 0 and "kernel_size: [4, 6]" in made and "at: {N: 1, H: 4, W: 6}" in made
    assert "fc: Nx5 -> Nx5x(H-3)x(W-5)\n" in said


def test_two_inputs_of_two_sizes_get_symbols_of_their_own(run):
    text = spec_of(
        "name: p, type: Pooling, bottom: b, pooling_param: {kernel_size: 2, stride: 2}\n"
        "name: both, type: Concat, bottom: [a, p]\n" + dense("fc"),
        "{a: [N, 3, 4, 4], b: [N, 3, 8, 8]}",
    )
    code, made, _, _ = run(text)
    assert code == 0 and "{a: [N, 3, H, W], b: [N, 3, H_, W_]}" in made
    text = spec_of(
        "name: both, type: Concat, bottom: [a, b]\n" + dense("fc"),
        "{a: [N, 3, 4, 6], b: [N, 3, 4, 6]}",
    )
    assert "{a: [N, 3, H, W], b: [N, 3, H, W]}" in run(text)[1]


def test_a_size_that_no_image_changes_is_told(run):
    pool = "name: pool, type: Pooling, pooling_param: {pool: AVE, global_pooling: true}\n"
    _, _, said, _ = run(spec_of(pool + dense("fc")))
    assert "fc: of one size, whatever the size of the input\n" in said


def test_axes_other_than_two(run):
    _, made, _, _ = run(spec_of(dense("fc"), "{data: [N, 3, 9]}"))
    assert "data: [N, 3, L]" in made and "kernel_size: 9" in made
    _, made, _, _ = run(spec_of(dense("fc"), "{data: [N, 3, 2, 4, 4]}"))
    assert "data: [N, 3, D, H, W]" in made and "kernel_size: [2, 4, 4]" in made


def test_dense_layers_of_vectors_stay(run):
    code, made, _, _ = run(spec_of(
        "name: z, type: InnerProduct, bottom: noise, inner_product_param: {num_output: 3}\n"
        "name: fc, type: InnerProduct, bottom: data, inner_product_param: {num_output: 3}",
        "{data: [N, 3, 8, 8], noise: [N, 7]}",
    ))  # fmt: skip
    assert code == 0 and "{name: z, type: InnerProduct, bottom: noise" in made


REFUSED = {
    "transposed": (dense("fc", ", transpose: true"), "`fc`: its weight is stored as inputs x"),
    "axis": (dense("fc", ", axis: 2"), "`fc`: its axis is 2"),
    "flattened": (
        "name: flat, type: Flatten\n" + dense("fc"), "`flat`: it reshapes the map that `fc`",
    ),
    "reshaped": (
        "name: r, type: Reshape, reshape_param: {shape: {dim: [0, -1]}}\nname: relu, type: ReLU\n"
        + dense("fc"), "`r`: it reshapes the map that `fc`",
    ),
    "reshaped after": (
        dense("fc", width=6) + "\nname: r, type: Reshape, reshape_param: {shape: {dim: [0, 2, 3]}}",
        "`r`: Reshape of a vector",
    ),
    "axis after": (
        dense("fc") + "\nname: p, type: Softmax, softmax_param: {axis: -1}",
        "`p`: its axis is -1",
    ),
    "all axes after": (
        dense("fc") + "\nname: s, type: Scale, scale_param: {num_axes: -1}",
        "`s`: it spans all axes",
    ),
    "beside a vector": (
        dense("fc") + "\nname: j, type: Concat, bottom: [fc, noise]", "`j`: `noise` stays a vector",
    ),
    "loss that is read": (
        "name: fc, type: InnerProduct, bottom: data, inner_product_param: {num_output: 5}\n"
        "name: l, type: EuclideanLoss, bottom: [fc, noise]\n"
        "name: half, type: Power, power_param: {scale: 0.5}", "`l`: it compares one answer",
    ),
    "weights for each place": (
        "name: l, type: LocallyConnected, bottom: data, "
        "locally_connected_param: {num_output: 2, kernel_size: 3}\n" + dense("fc"),
        "`l`: it has weights for each place",
    ),
    "made by a layer": (
        "name: x, type: Input, input_param: {shape: {dim: [1, 3, 8, 8]}}\n" + dense("fc"),
        "`x`: it says the size of the images",
    ),
    "no map": (
        "name: fc, type: InnerProduct, bottom: noise, inner_product_param: {num_output: 5}",
        "no dense layer that reads a map",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused(case, run):
    layers, said = REFUSED[case]
    if "bottom" not in layers.partition("\n")[0] and "Input" not in layers:
        layers = layers.replace("type: ", "bottom: data, type: ", 1)
    code, _, out, _ = run(spec_of(layers, "{data: [N, 3, 8, 8], noise: [N, 5]}"))
    assert code == 1
    assert out.count("error[E700]: fc2conv cannot change `") == 1 and said in out
    assert "-->" in out or case == "no map"


def test_one_entry_for_two_kernels_is_refused(run):
    text = spec_of("name: f, block: hidden, repeat: 2", head=(
        "blocks:\n  hidden:\n    inputs: [x]\n    layers:\n      - {" + dense("fc") + "}\n"
    ))  # fmt: skip
    code, _, said, _ = run(text)
    assert code == 1 and "one needs a kernel of 8, one of 1" in said
    code, made, _, _ = run(text.replace("repeat: 2", "repeat: 1"))
    assert code == 0 and "      - {name: fc, type: Convolution, convolution_param" in made


def test_an_imported_layer_is_refused(run, tmp_path):
    (tmp_path / "head.yaml").write_text(spec_of(dense("fc")))
    code, _, said, _ = run(spec_of("name: h, block: head", head="imports: {head: head.yaml}\n"))
    assert code == 1 and "`h.fc`: it stands in an imported file" in said


def test_a_prototxt_is_imported_on_the_way(tmp_path, capsys):
    (tmp_path / "net.prototxt").write_text(
        'name: "n"\ninput: "data"\ninput_shape { dim: 1 dim: 3 dim: 8 dim: 8 }\n'
        'layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"\n'
        "  inner_product_param { num_output: 5 } }\n"
        'layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }\n'
    )
    assert main(["transform", "fc2conv", str(tmp_path / "net.prototxt")]) == 0
    said = capsys.readouterr()
    assert "data: [1, 3, H, W]" in said.out and "kernel_size: 8" in said.out


def test_the_standard_input_is_read(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(SPEC.encode())))
    assert main(["transform", "fc2conv", "-"]) == 0
    assert capsys.readouterr().out == CHANGED


def test_an_import_that_the_new_place_cannot_reach_is_told(tmp_path, capsys):
    (tmp_path / "head.yaml").write_text(spec_of("name: r, type: ReLU", "{data: [N, 5]}"))
    text = spec_of(f"{dense('fc')}\nname: h, block: head", head="imports: {head: head.yaml}\n")
    (tmp_path / "net.yaml").write_text(text)
    (tmp_path / "there").mkdir()
    argv = ["transform", "fc2conv", str(tmp_path / "net.yaml"), "-o"]
    assert main([*argv, str(tmp_path / "there" / "out.yaml")]) == 1
    assert "the net that comes of it is wrong" in capsys.readouterr().out
    assert main([*argv, str(tmp_path / "out.yaml")]) == 0


# weights: a table of names and places in JSON, then numbers


def stored(path, shapes):
    table, numbers = {"__metadata__": {"format": "pt"}}, b""
    for name, shape in shapes.items():
        count = 1
        for extent in shape:
            count *= extent
        start = len(numbers)
        numbers += struct.pack(f"<{count}f", *(float(start + i) for i in range(count)))
        table[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, len(numbers)]}
    header = json.dumps(table).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + numbers)
    return table, numbers


WEIGHTS = {"c.weight": [4, 3, 3, 3], "c.bias": [4], "fc1.weight": [6, 252], "fc1.bias": [6],
           "fc2.weight": [10, 6], "fc2.bias": [10]}  # fmt: skip


@pytest.fixture
def carry(run, tmp_path):
    def go(shapes, text=SPEC, *more):
        table, numbers = stored(tmp_path / "a.safetensors", shapes)
        target = tmp_path / "b.safetensors"
        code, _, out, err = run(
            text, "--weights", str(tmp_path / "a.safetensors"), "--weights-out", str(target), *more
        )
        return code, table, numbers, target, out + err

    return go


def test_weights_keep_their_names_and_numbers(carry):
    code, table, numbers, target, _ = carry(WEIGHTS)
    assert code == 0
    raw = target.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    assert size % 8 == 0
    table["fc1.weight"]["shape"] = [6, 4, 7, 9]
    table["fc2.weight"]["shape"] = [10, 6, 1, 1]
    assert json.loads(raw[8 : 8 + size]) == table
    assert raw[8 + size :] == numbers


def test_weights_that_do_not_fit_are_refused(carry):
    code, _, _, target, said = carry({**WEIGHTS, "fc1.weight": [6, 4]})
    assert code == 1 and "`fc1.weight` is 6x4 in the file, 6x252 in the net" in said
    code, _, _, target, said = carry({"c.weight": [4, 3, 3, 3]})
    assert code == 1 and "the file has no `fc1.weight`" in said
    assert not target.exists()


def test_weights_of_a_family_need_a_scale(carry):
    text = SPEC.replace("inputs:", "scales: {a: {classes: 3}, b: {classes: 10}}\ninputs:", 1)
    code, _, _, _, said = carry(WEIGHTS, text)
    assert code == 1 and "choose its scale with --scale" in said
    assert carry(WEIGHTS, text, "--scale", "b")[0] == 0


def test_a_damaged_table_is_told(run, tmp_path):
    for header in (b"{x", b"[]" + b" " * 6, b'{"a": 1}'):
        (tmp_path / "a").write_bytes(len(header).to_bytes(8, "little") + b"{" + header[1:])
        code, _, said, _ = run(SPEC, "--weights", str(tmp_path / "a"), "--weights-out",
                               str(tmp_path / "b"))  # fmt: skip
        assert code == 1 and "its table of weights is damaged" in said


def test_wrong_usage_is_2(run, capsys):
    assert run(SPEC, "--weights", "a")[0] == 2
    assert main(["transform", "conv2fc", "x"]) == 2
    assert "invalid choice: 'conv2fc'" in capsys.readouterr().err


def test_every_transform_is_in_the_help(capsys):
    assert main(["transform", "--help"]) == 0
    said = capsys.readouterr().out
    stems = list(Folder("netspec.transforms", "netspec.transforms"))
    assert "fc2conv" in stems and all(f"\n  {stem} " in said for stem in stems)


def test_a_file_that_is_there_is_not_replaced(tmp_path, capsys):
    (tmp_path / "net.yaml").write_text(SPEC)
    argv = ["transform", "fc2conv", str(tmp_path / "net.yaml"), "-o", str(tmp_path / "net.yaml")]
    assert main(argv) == 1
    assert "--force replaces it" in capsys.readouterr().out
    assert (tmp_path / "net.yaml").read_text() == SPEC


@pytest.mark.parametrize(
    ("name", "size", "answers"),
    [("caffenet", 451, 8), ("vgg16", 288, 3), ("lenet_caffe", 36, 3), ("zfnet", 256, 2)],
)
def test_shipped_nets_give_a_map_of_answers(name, size, answers, tmp_path):
    path = str(tmp_path / "net.yaml")
    assert main(["transform", "fc2conv", f"zoo:{name}", "-o", path]) == 0
    (blob,) = netspec.load(path, at={"H": size, "W": size}).outputs.values()
    assert blob.shape[2:] == (answers, answers)
    assert main(["check", "-q", path]) == 0
