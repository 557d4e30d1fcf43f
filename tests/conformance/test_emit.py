"""The source a net is emitted as: safe whatever its names, and as a person would write it."""

# ruff: noqa: E501 - specs stand on the lines they are shown with

from __future__ import annotations

import ast
import copy
import io
import tokenize
import weakref

import pytest

torch = pytest.importorskip("torch")

import netspec  # noqa: E402
import netspec.spec  # noqa: E402
from netspec_torch.names import attributes, safe  # noqa: E402
from tests.texts import load, refusal  # noqa: E402

SMALL = """\
name: small
inputs: {x: [2, 3, 8, 8]}
layers:
  - {name: conv, type: Convolution, convolution_param: {num_output: 4, kernel_size: 3, pad: 1}}
  - {name: bn, type: BatchNorm, batch_norm_param: {scale_bias: true}}
  - {name: relu, type: ReLU}
  - {name: add, type: Eltwise, bottom: [relu, conv]}
  - {name: fc, type: InnerProduct, inner_product_param: {num_output: 5}}
"""
PLAIN = """\
name: NAME
inputs: {IN: [2, 3]}
layers:
  - {name: L1, type: InnerProduct, bottom: IN, inner_product_param: {num_output: 4}}
  - {name: L2, type: ReLU, bottom: L1}
  - {name: L3, type: InnerProduct, bottom: L1, inner_product_param: {num_output: 4}}
  - {name: L4, type: Eltwise, bottom: [L2, L3]}
"""
HOSTILE = [
    "class", "forward", "training", "_modules", "type", "half", "__class__", "match", "self", "torch",
    "None", "0", "a b", "nn", "F", "names", "multipliers", "state_dict", "x", "y", "super", "import",
    "'); import os; os.system('ls", "a.b", "a..b", ".", "..", "-", "%s", "#", "{}".replace("{}", "[]"),
    "+AAo-print(1)", "-*- coding: utf-7 -*-", "x" * 128, "_", "__", "1.2.3", "print", "float", "del", "weight", "bias", "a/b", "a_b", "#coding: utf-7",
]  # fmt: skip
# what no spec can hold, put past the check of names: the emitter does not lean on it
UNSPEAKABLE = [
    'training"), print("PWNED', '"""', "\\", "x\n", "x\r", "\x0c", "\u2028", "{self}", "{0}", "{{", "\\N{BULLET}",
    "\x00", "caf\u00e9", "\u202e", "\ufb01", "",
]  # fmt: skip


def quoted(name):
    import json

    return json.dumps(name)


def named(tmp_path, names):
    text = PLAIN
    for place, name in zip(("NAME", "IN", "L1", "L2", "L3", "L4"), names, strict=True):
        text = text.replace(place, quoted(name.replace("$", "$$")))
    return load(tmp_path, text)


def statements(tree):
    """Return the calls, operators and kinds of statement in order: what a name must not add to."""
    kinds = (
        ast.Call,
        ast.Return,
        ast.Import,
        ast.ImportFrom,
        ast.FunctionDef,
        ast.ClassDef,
        ast.BinOp,
    )
    return sorted(type(node).__name__ for node in ast.walk(tree) if isinstance(node, kinds)
                  and not (isinstance(node, ast.Call) and "add_module" in ast.unparse(node.func))
                  and not (isinstance(node, ast.Call) and ast.unparse(node) == "nn.Module()"))  # fmt: skip


def check(source, benign):
    assert source.isascii()
    assert source.startswith("# -*- coding: utf-8 -*-\n")
    tree = ast.parse(source)
    ours = [n for n in statements(tree) if n not in ("Call",)]
    theirs = [n for n in statements(ast.parse(benign)) if n not in ("Call",)]
    assert ours == theirs
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not {
        name
        for name in called
        if name.split(".")[0] not in ("nn", "F", "torch", "self", "super", "super()")
    }
    comments = {
        token.string
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    assert comments <= {"# -*- coding: utf-8 -*-", "# attribute: the layer's name in the spec",
                        "# weight: (lr_mult, decay_mult)"}  # fmt: skip
    strings = [
        token.string
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.STRING
    ]
    assert strings[0] == '"""A network written by netspec."""'
    assert not [text for text in strings[1:] if text.startswith(('"""', "'''", "f", "b"))]


def ran(net):
    model = netspec.build(net)
    keys = list(model.state_dict())
    out = model(torch.randn(2, 3))
    assert (out if isinstance(out, torch.Tensor) else next(iter(out.values()))).shape == (2, 4)
    assert len(keys) == len(set(keys)) == 4
    return model


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_a_name(tmp_path, name, capfd):
    names = ["Plain", "IN", "L1", "L2", "L3", "L4"]
    benign = netspec.source(named(tmp_path, names))
    for place in range(6):
        given = [name if index == place else other for index, other in enumerate(names)]
        net = named(tmp_path, given)
        source = netspec.source(net)
        check(source, benign)
        model = ran(net)
        if place in (2, 4):
            assert len({key.rpartition(".")[0] for key in model.state_dict()}) == 2
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("name", UNSPEAKABLE)
def test_a_name_that_no_spec_can_hold_is_refused_and_harmless_all_the_same(
    tmp_path, name, monkeypatch, capfd
):
    benign = netspec.source(named(tmp_path, ["Plain", "IN", "L1", "L2", "L3", "L4"]))
    text = PLAIN.replace("L3", quoted(name))
    assert refusal(tmp_path, text).code.id in ("E209", "E102")
    anything = __import__("re").compile("(?s).*")
    monkeypatch.setattr(netspec.spec, "_NAME", anything)
    for place in range(6):
        given = ["Plain", "IN", "L1", "L2", "L3", "L4"]
        given[place] = name
        net = named(tmp_path, given)
        check(netspec.source(net), benign)
        ran(net)
    assert capfd.readouterr().out == ""


def test_renamed_layers_keep_their_names_beside_the_module(tmp_path):
    net = named(tmp_path, ["Plain", "IN", "class", "L2", "a b", "L4"])
    model = netspec.build(net)
    assert model.names == {"class_": "class", "a_b": "a b"}


@pytest.mark.parametrize(
    "names",
    [["a.b", "a_b", "a b"], ["a", "a.b", "a.b.c"], ["a.0", "a.1", "a.0_2"], ["class", "class_", "class__"],
     ["x", "X"], ["1", "n1"], ["a.forward", "a.forward_"], ["b.1", "b.0"], ["0.1", "0"]],
)  # fmt: skip
def test_no_two_layers_get_one_path_and_no_layer_holds_another(names):
    made = attributes(names)
    paths = list(made.values())
    assert len(set(paths)) == len(names)
    assert not [(p, q) for p in paths for q in paths if p != q and q.startswith(f"{p}.")]
    for path in paths:
        for part in path.split("."):
            assert part.isdigit() or (part.isidentifier() and safe(part) == part)
    assert made == attributes(names), "the same each time"


def test_keys_of_the_state_are_the_layers_names(tmp_path):
    text = ("inputs: {x: [2, 3, 8, 8]}\nblocks: {b: {layers: [{name: conv, type: Convolution, "
            "convolution_param: {num_output: 3, kernel_size: 1}}]}}\n"
            "layers: [{name: layer1, block: b, repeat: 2}, {name: head, block: b}]")  # fmt: skip
    assert list(netspec.build(load(tmp_path, text)).state_dict()) == [
        f"{path}.conv.{kind}" for path in ("layer1.0", "layer1.1", "head") for kind in ("weight", "bias")
    ]  # fmt: skip


# sharing

SHARED = """\
inputs: {x: [2, 3, 8, 8]}
blocks:
  b:
    vars: {stride: 1, bias: true}
    layers:
      - {name: c, type: Convolution, convolution_param: {num_output: 3, kernel_size: 3, pad: 1, stride: $stride, bias_term: $bias}}
layers:
  - {name: one, block: b, share: k}
  - {name: two, block: b, share: k, with: {%s}}
"""


@pytest.mark.parametrize(
    ("given", "size", "keys"), [("stride: 1", 8, 2), ("stride: 2", 4, 4), ("bias: false", 8, 3)]
)
def test_layers_that_share_weights_keep_their_own_params(tmp_path, given, size, keys):
    net = load(tmp_path, SHARED % given)
    model = netspec.build(net)
    x = torch.randn(2, 3, 8, 8)
    assert tuple(model(x).shape) == net.outputs["two"].shape == (2, 3, size, size)
    assert len(model.state_dict()) == keys
    assert sum(p.numel() for p in model.parameters()) == net.params.total
    w, b = model.one.c.weight, model.one.c.bias
    stride = 2 if size == 4 else 1
    conv = torch.nn.functional.conv2d
    by_hand = conv(conv(x, w, b, 1, 1), w, b if keys != 3 else None, stride, 1)
    torch.testing.assert_close(model(x), by_hand)
    moved = copy.deepcopy(model).to(torch.float64)
    assert len(list(moved.parameters())) == 2


# memory


def chain(count):
    layers = "".join(
        f"  - {{name: c{i}, type: Convolution, convolution_param: {{num_output: 8, kernel_size: 3, pad: 1}}}}\n"
        for i in range(count)
    )
    return "inputs: {x: [1, 8, 16, 16]}\nlayers:\n" + layers


def most_alive(model, x):
    """Return the largest number of the layers' outputs that were alive at once."""
    made: list = []
    most = 0

    def note(module, inputs, output):
        nonlocal most
        made.append(weakref.ref(output))
        most = max(most, sum(ref() is not None for ref in made))

    for module in model.modules():
        if not list(module.children()):
            module.register_forward_hook(note)
    with torch.no_grad():
        model(x)
    return most


def test_no_blob_outlives_its_last_use(tmp_path):
    x = torch.randn(1, 8, 16, 16)
    by_hand = torch.nn.Sequential(*(torch.nn.Conv2d(8, 8, 3, padding=1) for _ in range(12)))
    ours = netspec.build(load(tmp_path, chain(12)))
    assert most_alive(ours, x) == most_alive(by_hand, x) == 2


def test_a_blob_that_is_read_later_is_kept_until_then(tmp_path):
    text = SMALL.replace("[2, 3, 8, 8]", "[1, 3, 8, 8]")
    source = netspec.source(load(tmp_path, text))
    lines = [line.strip() for line in source[source.index("def forward") :].splitlines()]
    assert lines == [
        "def forward(self, x):",
        "y = self.conv(x)",
        "del x",
        "z = self.bn(y)",
        "z = self.relu(z)",
        "z = z + y",
        "del y",
        "z = self.fc(torch.flatten(z, 1))",
        "return z",
    ]


def test_blobs_nobody_reads_are_freed_at_once(tmp_path):
    text = "inputs: {x: [2, 4]}\noutputs: r\nlayers: [{name: s, type: Slice, top: [p, q]}, " \
           "{name: r, type: ReLU, bottom: p}]"  # fmt: skip
    net = load(tmp_path, text)
    source = netspec.source(net)
    assert source.count("del ") >= 1
    assert netspec.build(net)(torch.randn(2, 4)).shape == (2, 2)


# what forward gives back


def test_outputs_may_be_chosen(tmp_path):
    net = load(tmp_path, SMALL)
    x = torch.randn(2, 3, 8, 8)
    assert isinstance(netspec.build(net)(x), torch.Tensor)
    assert netspec.build(net, outputs="bn")(x).shape == (2, 4, 8, 8)
    two = netspec.build(net, outputs=["relu", "fc"])(x)
    assert list(two) == ["relu", "fc"]
    every = netspec.build(net, outputs="all")(x)
    assert list(every) == ["conv", "bn", "relu", "add", "fc"]
    torch.testing.assert_close(every["add"], every["relu"] + every["conv"])
    with pytest.raises(netspec.SpecError) as caught:
        netspec.build(net, outputs=["rely"])
    (found,) = caught.value.diagnostics
    assert (found.code.id, found.hint) == ("E326", "did you mean `relu`?")


LOSSES = """\
inputs: {x: [4, 6], label: {shape: [4], dtype: int64}, t: [4, 3]}
layers:
  - {name: fc, type: InnerProduct, bottom: x, param: [{lr_mult: 1, decay_mult: 1}, {lr_mult: 2, decay_mult: 0}],
     inner_product_param: {num_output: 3}}
  - {name: froz, type: InnerProduct, bottom: x, param: [{lr_mult: 0}, {lr_mult: 0}], inner_product_param: {num_output: 3}}
  - {name: ce, type: SoftmaxWithLoss, bottom: [fc, label], include: {phase: TRAIN}}
  - {name: l2, type: EuclideanLoss, bottom: [froz, t], loss_weight: 0.5, include: {phase: TRAIN}}
"""


def test_training_gives_the_losses_and_their_weighted_sum(tmp_path):
    model = netspec.build(load(tmp_path, LOSSES, phase="train"))
    found = model(torch.randn(4, 6), torch.randint(0, 3, (4,)), torch.randn(4, 3))
    assert set(found) == {"ce", "l2", "loss"}
    torch.testing.assert_close(found["loss"], found["ce"] + 0.5 * found["l2"])
    assert set(netspec.build(load(tmp_path, LOSSES))(torch.randn(4, 6))) == {"fc", "froz"}


def test_the_optimiser_gets_groups_of_one_multiplier(tmp_path):
    model = netspec.build(load(tmp_path, LOSSES, phase="train"))
    groups = netspec.param_groups(model, lr=0.1, weight_decay=0.01)
    told = sorted((g["lr"], g["weight_decay"], len(g["params"])) for g in groups)
    assert told == [(0.1, 0.01, 1), (0.2, 0.0, 1)]
    torch.optim.SGD(groups, lr=0.1)


# what is done to modules


@pytest.fixture
def model(tmp_path):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return netspec.build(load(tmp_path, SMALL))


X = torch.linspace(-1, 1, 2 * 3 * 64).view(2, 3, 8, 8)


def test_a_module_can_be_copied_and_moved(model):
    wanted = model(X)
    torch.testing.assert_close(copy.deepcopy(model)(X), wanted)
    moved = copy.deepcopy(model).to(torch.float64)
    torch.testing.assert_close(moved(X.double()), wanted.double())
    assert model.fc.weight.dtype == torch.float32


def test_source_and_module_are_one(model, tmp_path):
    net = load(tmp_path, SMALL)
    assert model.source == netspec.source(net)
    space: dict = {"__name__": "written"}
    exec(compile(model.source, "written.py", "exec"), space)
    twin = space["small"]().eval()
    twin.load_state_dict(model.state_dict(), strict=True)
    assert torch.equal(twin(X), model(X))


def test_a_module_can_be_traced_and_exported(model):
    wanted = model(X)
    torch.testing.assert_close(torch.fx.symbolic_trace(model)(X), wanted)
    torch.testing.assert_close(torch.export.export(model, (X,)).module()(X), wanted)


def test_a_module_compiles_as_one_graph(model):
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(X), model(X))


def test_hostile_names_can_be_traced(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(netspec.spec, "_NAME", __import__("re").compile("(?s).*"))
    net = named(tmp_path, ["Plain", "IN", 'training"), print("PWNED"), getattr(self, "training', "class",
                           "x\n", "L4"])  # fmt: skip
    traced = torch.fx.symbolic_trace(netspec.build(net))
    assert traced(torch.randn(2, 3)).shape == (2, 4)
    assert capfd.readouterr().out == ""


def test_the_source_is_the_same_each_time(tmp_path):
    assert netspec.source(load(tmp_path, SMALL)) == netspec.source(load(tmp_path, SMALL))
