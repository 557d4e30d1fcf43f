"""Blocks in emitted source: classes where a person would write them, and the same net as flat."""

# ruff: noqa: E501 - specs stand on the lines they are shown with

from __future__ import annotations

import ast
import weakref

import pytest

torch = pytest.importorskip("torch")

import netspec  # noqa: E402
from tests.flat import made, same  # noqa: E402
from tests.texts import load  # noqa: E402

CONV = "type: Convolution, convolution_param: {num_output: %s, kernel_size: 3, pad: 1}"
X = "inputs: {data: [2, 4, 8, 8]}\n"


def unit(*lines, vars="", outputs=""):
    """Return a spec's section with one block `unit` of these layers."""
    head = f"blocks:\n  unit:\n    {vars}\n    {outputs}\n    layers:\n"
    return X + head + "".join(f"      - {{{line}}}\n" for line in lines) + "layers:\n"


def conv(name, count=4, **more):
    extra = "".join(f", {key}: {value}" for key, value in more.items())
    return f"name: {name}, {CONV % count}{extra}"


TWO = "  - {name: a, block: unit}\n  - {name: b, block: unit}\n"
FEED = [torch.linspace(-1, 1, 512).view(2, 4, 8, 8)]


def classes(source):
    return [node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]


def body(source, name):
    """Return the lines of a class."""
    text = source[source.index(f"class {name}(") :].split("\n\n\nclass ")[0]
    return [line.strip() for line in text.splitlines() if line.strip()]


ZOO = {
    "convnetjs_cifar10": {},
    "cyclegan_G_resnet9": {"N": 1, "H": 32, "W": 32},
    "densenet121": {"N": 2, "H": 32, "W": 32},
    "efficientnet_b0": {"N": 2, "H": 32, "W": 32},
    "googlenet_torchvision": {"N": 2, "H": 96, "W": 96},
    "mobilenet_v2": {"N": 2, "H": 32, "W": 32},
    "progan_D_1024": None,
    "resnet18": {"N": 2, "H": 32, "W": 32},
    "resnet50": {"N": 2, "H": 32, "W": 32},
    "sagan_D_128": None,
    "sr_x4_johnson": None,
    "stackgan_stage2_G": None,
    "unet3d_2016": None,
    "unet_2015": {"N": 1, "H": 188, "W": 188},
    "wavenet_ibab": None,
}  # a net to its sizes; None: its state is compared, and it is not run


@pytest.mark.parametrize("phase", ["test", "train"])
@pytest.mark.parametrize("name", ZOO)
def test_shipped_nets_are_what_they_are_flat(name, phase):
    torch.set_num_threads(1)
    at = ZOO[name]
    net = netspec.load(f"zoo:{name}", phase=phase, at=at or {})
    feed = [] if at is None else [
        torch.randn([size if isinstance(size, int) else at.get("N", 2) for size in blob.shape])
        if blob.dtype == "float32" else torch.zeros(at.get("N", 2), dtype=torch.int64)
        for blob in net.inputs.values()
    ]  # fmt: skip
    ours, flat = same(net, feed)
    assert len(classes(ours)) > len(classes(flat)), "blocks are classes"
    assert ours.count("\n") < flat.count("\n") + 3


def test_resnet_is_short():
    lines = {name: netspec.source(f"zoo:{name}").count("\n") for name in ("resnet50", "resnet152")}
    assert lines["resnet152"] == lines["resnet50"] == 117, "as README.md and CHANGELOG.md say"
    assert classes(netspec.source("zoo:resnet50")) == [
        "Projection", "Bottleneck", "BottleneckWithDownsample", "resnet50",
    ]  # fmt: skip


# one class for what differs in arguments


def test_what_differs_is_an_argument_named_as_in_the_spec(tmp_path):
    text = unit(conv("c", "$width", vars="").replace(", vars: ", ""), "name: r, type: ReLU", vars="vars: {width: 4}")  # fmt: skip
    net = load(tmp_path, text + "  - {name: a, block: unit, with: {width: 6}}\n  - {name: b, block: unit, with: {width: 8}}\n")  # fmt: skip
    ours, _ = same(net, FEED)
    assert body(ours, "Unit")[:4] == [
        "class Unit(nn.Module):",
        "def __init__(self, in_channels, width):",
        "super().__init__()",
        "self.c = nn.Conv2d(in_channels, width, 3, padding=1)",
    ]
    assert {"self.a = Unit(4, 6)", "self.b = Unit(6, 8)"} < set(body(ours, "net"))


def test_an_argument_that_may_be_left_out_is_left_out(tmp_path):
    layer = "name: c, type: Convolution, convolution_param: {num_output: 4, kernel_size: 3, pad: 1, stride: $step}"
    text = unit(layer, "name: r, type: ReLU", vars="vars: {step: 1}")
    ours, _ = same(load(tmp_path, text + "  - {name: a, block: unit}\n  - {name: b, block: unit, with: {step: 2}}\n"), FEED)  # fmt: skip
    assert body(ours, "Unit")[1] == "def __init__(self, step=1):"
    assert {"self.a = Unit()", "self.b = Unit(step=2)"} < set(body(ours, "net"))


def test_numbers_of_a_call_are_kept_on_the_module(tmp_path):
    layers = ("name: up, type: Deconvolution, convolution_param: {num_output: 4, kernel_size: 2, stride: 2}",
              "name: margin, type: Crop, bottom: [up, in], crop_param: {axis: 2, offset: $margin}")  # fmt: skip
    text = unit(*layers, vars="vars: {margin: 0}")
    uses = "  - {name: a, block: unit, with: {margin: 1}}\n  - {name: b, block: unit, with: {margin: 3}}\n"
    ours, _ = same(load(tmp_path, text + uses), FEED)
    assert "self.margin = margin" in body(ours, "Unit")
    assert "self.a = Unit(1)" in body(ours, "net")


def test_parts_that_differ_in_much_have_classes_of_their_own(tmp_path):
    layers = [conv(f"c{i}", f'"${{w + {i * i}}}"') for i in range(12)]
    text = unit(*layers, vars="vars: {w: 1}")
    uses = "".join(f"  - {{name: u{w}, block: unit, with: {{w: {w}}}}}\n" for w in (1, 2))
    ours, _ = same(load(tmp_path, text + uses), FEED)
    assert classes(ours) == ["Unit", "Unit2", "net"]
    assert "__init__(self):" in body(ours, "Unit")[1]


def test_what_has_more_in_it_says_so_in_its_name(tmp_path):
    text = unit(conv("c"), "name: extra, type: ReLU, when: $more", "name: end, type: Sigmoid", vars="vars: {more: false}")  # fmt: skip
    net = load(
        tmp_path,
        text + "  - {name: a, block: unit, with: {more: true}}\n  - {name: b, block: unit}\n",
    )
    ours, _ = same(net, FEED)
    assert classes(ours) == ["UnitWithExtra", "Unit", "net"]


# lists


def test_a_repeated_block_is_a_loop(tmp_path):
    text = unit(conv("c"), "name: r, type: ReLU") + "  - {name: s, type: Sigmoid}\n  - {name: stage, block: unit, repeat: 5}\n"  # fmt: skip
    ours, _ = same(load(tmp_path, text), FEED)
    assert "self.stage = nn.ModuleList(Unit() for _ in range(5))" in body(ours, "net")
    assert body(ours, "net")[-3:] == ["for block in self.stage:", "x = block(x)", "return x"]


def test_layers_by_number_are_a_sequence(tmp_path):
    text = unit(*(conv(f'"{i}"') for i in range(3))) + TWO
    ours, _ = same(load(tmp_path, text), FEED)
    assert body(ours, "Unit")[0] == "class Unit(nn.Sequential):"
    assert "forward" not in "".join(body(ours, "Unit"))


def test_a_sequence_that_is_read_in_its_middle_is_none(tmp_path):
    text = (
        unit(*(conv(f'"{i}"') for i in range(3)), 'name: s, type: Eltwise, bottom: ["0", "2"]')
        + TWO
    )
    ours, _ = same(load(tmp_path, text), FEED)
    assert body(ours, "Unit")[0] == "class Unit(nn.ModuleList):"
    assert "x = self[0](x)" in body(ours, "Unit")


def test_numbers_out_of_order_are_no_list(tmp_path):
    text = unit(conv('"1"'), conv('"0"')) + TWO
    ours, _ = same(load(tmp_path, text), FEED)
    assert "self.add_module('1', nn.Conv2d(4, 4, 3, padding=1))" in body(ours, "Unit")


def test_a_branch_is_a_sequence_and_a_trunk_a_loop(tmp_path):
    text = (
        X + "layers:\n" + "".join(f"  - {{{conv(f'{k}.{i}')}}}\n" for k in "tb" for i in range(3))
    )
    ours, _ = same(load(tmp_path, text), FEED)
    assert body(ours, "net")[-6:] == [
        "def forward(self, data):", "x = self.t(data)", "del data",
        "for layer in self.b:", "x = layer(x)", "return x",
    ]  # fmt: skip


# what stays flat


@pytest.mark.parametrize(
    "uses",
    [
        "  - {name: a, block: unit}\n",  # once
        "  - {name: a, block: unit, prefix: ''}\n  - {name: b, block: unit}\n",
        "  - {name: a, block: unit, prefix: a_}\n  - {name: b, block: unit, prefix: b_}\n",
        "  - {name: a, block: unit, prefix: p.}\n  - {name: p.more, type: InnerProduct, inner_product_param: {num_output: 3}}\n",
    ],
    ids=["once", "no prefix", "no path", "not alone in its path"],
)
def test_without_a_path_of_its_own_a_use_stays_flat(tmp_path, uses):
    net = load(tmp_path, unit(conv("c"), "name: r, type: ReLU") + uses)
    ours, flat = same(net, FEED)
    assert len(classes(ours)) == (2 if "name: b, block: unit}" in uses else 1)
    assert classes(flat) == ["net"]


def test_one_layer_is_no_class(tmp_path):
    ours, flat = same(load(tmp_path, unit(conv("c")) + TWO), FEED)
    assert ours == flat


def test_without_weights_or_modules_a_use_stays_flat(tmp_path):
    layers = ("name: p, type: Power, power_param: {scale: 2}", "name: q, type: Exp")
    ours, flat = same(load(tmp_path, unit(*layers) + TWO), FEED)
    assert ours == flat


def test_many_outputs_stay_flat(tmp_path):
    net = load(tmp_path, unit(*(conv(f"c{i}") for i in range(5))) + TWO)
    ours, flat = same(net, FEED, "all")
    assert classes(ours) == ["net"]
    assert ours == flat
    ours, _ = same(net, FEED, ["a.c1", "b.c2"])  # one more of each goes out, and not the same
    assert classes(ours) == ["Unit", "Unit2", "net"]
    assert "x, y = self.a(data)" in body(ours, "net")


def test_weights_shared_by_uses_stay_flat(tmp_path):
    text = unit(conv("c"), "name: r, type: ReLU")
    uses = "".join(f"  - {{name: {name}, block: unit, share: k}}\n" for name in "ab")
    net = load(tmp_path, text + uses + "  - {name: d, block: unit}\n")
    ours, _ = same(net, FEED)
    assert "self.b" not in ours
    assert len(list(made(ours).parameters())) == 4


def test_weights_shared_by_name_across_uses_stay_flat(tmp_path):
    text = unit(conv("c", param="[{name: w}, {name: v}]"), "name: r, type: ReLU") + TWO
    ours, flat = same(load(tmp_path, text), FEED)
    assert "weight = " in ours
    assert classes(ours) == ["Unit", "net"] or ours == flat


# how weights start


def test_weights_are_drawn_in_the_order_of_the_layers(tmp_path):
    filled = conv("c").replace("pad: 1}", "pad: 1, weight_filler: {type: gaussian, std: $std}}")
    text = unit(filled, "name: r, type: ReLU", vars="vars: {std: 0.1}")
    text += "  - {name: s, block: unit, repeat: 3}\n  - {name: t, block: unit, with: {std: 0.5}}\n"
    end = conv("end").replace("pad: 1}", "pad: 1, weight_filler: {type: xavier}}")
    text += f"  - {{{end}}}\n"
    ours, _ = same(load(tmp_path, text), FEED)
    assert body(ours, "net").count("block.fill_weights()") == 1
    assert "self.t.fill_weights()" in body(ours, "net")
    assert "gaussian_(self.c.weight, 0.0, self.std)" in body(ours, "Unit")


def test_a_layer_may_have_the_name_of_a_method(tmp_path):
    filled = (
        "type: InnerProduct, inner_product_param: {num_output: 4, weight_filler: {type: xavier}}"
    )
    text = unit(f"name: fill_weights, {filled}", f"name: std, {filled}") + TWO
    ours, _ = same(load(tmp_path, text), FEED)
    assert "def fill_weights_(self):" in body(ours, "Unit")


def test_frozen_uses_have_a_class_of_their_own(tmp_path):
    text = unit(conv("c"), "name: r, type: ReLU") + TWO.replace(
        "b, block: unit", "b, block: unit, freeze: true"
    )
    ours, _ = same(load(tmp_path, text + "  - {name: d, block: unit}\n"), FEED)
    assert [line for line in ours.splitlines() if "requires_grad_" in line] == [
        "        self.c.weight.requires_grad_(False)", "        self.c.bias.requires_grad_(False)",
    ]  # fmt: skip


# names


@pytest.mark.parametrize("name", ["class", "None", "a b", "nn", "torch", "F", "exception", "int", "net", "range", "1", "-", "'", "a.b", "#", "self", "()"])  # fmt: skip
def test_any_name_of_a_block_makes_a_class(tmp_path, name):
    text = unit(conv("c"), "name: r, type: ReLU") + TWO
    quoted = '"' + name + '"'
    net = load(tmp_path, text.replace("unit", quoted))
    ours, _ = same(net, FEED)
    assert len(classes(ours)) == 2
    assert classes(ours)[0].isidentifier() and classes(ours)[0] not in dir(__import__("builtins"))
    assert ours.isascii()


@pytest.mark.parametrize("name", ["class", "self", "nn", "torch", "float", "c", "int", "Unit", "_", "forward", "x", "lambda"])  # fmt: skip
def test_any_name_of_a_variable_makes_an_argument(tmp_path, name):
    text = unit(conv("c", f'"${{{name}}}"'), "name: r, type: ReLU", vars=f"vars: {{{name}: 4}}")
    try:
        net = load(tmp_path, text + f"  - {{name: a, block: unit}}\n  - {{name: b, block: unit, with: {{{name}: 5}}}}\n")  # fmt: skip
    except netspec.SpecError as refused:
        assert refused.diagnostics[0].code.id in ("E209", "E104")
        return
    same(net, FEED)


# what is done to modules


@pytest.fixture
def model(tmp_path):
    text = unit(conv("c"), "name: bn, type: BatchNorm", "name: r, type: ReLU", 'name: add, type: Eltwise, bottom: [r, in]')  # fmt: skip
    text += f"  - {{{conv('first')}}}\n  - {{name: s, block: unit, repeat: 4}}\n"
    return netspec.build(load(tmp_path, text))


def test_modules_of_blocks_are_traced_exported_and_compiled(model):
    wanted = model(*FEED)
    torch.testing.assert_close(torch.fx.symbolic_trace(model)(*FEED), wanted)
    torch.testing.assert_close(torch.export.export(model, tuple(FEED)).module()(*FEED), wanted)
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(*FEED), wanted)


def test_a_loop_holds_no_blob_that_is_dead(tmp_path):
    text = X + "layers:\n" + "".join(f"  - {{{conv(f'c.{i}')}}}\n" for i in range(8))
    ours = netspec.build(
        load(tmp_path, text.replace("layers:\n", "layers:\n  - {name: s, type: Exp}\n", 1))
    )
    seen, most = [], 0

    def note(module, inputs, output):
        nonlocal most
        seen.append(weakref.ref(output))
        most = max(most, sum(ref() is not None for ref in seen))

    for module in ours.c:
        module.register_forward_hook(note)
    with torch.no_grad():
        ours(*FEED)
    assert "for layer in self.c:" in ours.source
    assert most == 2
