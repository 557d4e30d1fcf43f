"""Drawing: what is on a picture, that spec text stays text, and how Graphviz is run."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest

import netspec
import netspec_graphviz
from netspec.blob import Blob
from netspec.cli import main
from netspec.graph import Graph, Node, Value
from netspec.layer import Layer
from netspec.net import Net
from netspec_graphviz import dot, draw, mermaid, render
from netspec_graphviz import style as looks
from netspec_graphviz.picture import blob_text, count_text, picture, size_text
from tests.texts import ends

renderer = sys.modules["netspec_graphviz.render"]  # the package's `render` is the function

SMALL = """\
name: small
inputs: {data: [1, 3, 8, 8]}
layers:
  - {name: conv1, type: Convolution, convolution_param: {num_output: 4, kernel_size: 3, stride: 2}}
  - {name: relu1, type: ReLU, top: conv1}
  - {name: twice, type: Eltwise, bottom: [conv1, conv1]}
  - {name: ip, type: InnerProduct, inner_product_param: {num_output: 10}}
"""
STAGES = """\
name: stages
vars: {n: 4}
inputs: {data: [1, 3, 32, 32]}
blocks:
  unit:
    inputs: [x]
    layers:
      - {name: conv1, type: Convolution, bottom: x,
         convolution_param: {num_output: 8, kernel_size: 3, pad: 1}}
      - {name: relu, type: ReLU, top: conv1}
      - {name: conv2, type: Convolution,
         convolution_param: {num_output: 8, kernel_size: 3, pad: 1}}
      - {name: add, type: Eltwise, bottom: [conv2, x]}
layers:
  - {name: stem, type: Convolution, convolution_param: {num_output: 8, kernel_size: 3, pad: 1}}
  - {name: layer1, block: unit, repeat: $n}
  - {name: down, type: Convolution, convolution_param: {num_output: 8, kernel_size: 2, stride: 2}}
  - {name: layer2, block: unit, repeat: 2}
  - {name: fc, type: InnerProduct, inner_product_param: {num_output: 10}}
"""
HOSTILE = [
    "<b>x</b>",
    '<<TABLE HREF="javascript:alert(1)"><TR><TD>x</TD></TR></TABLE>>',
    '"];evil[label="',
    "ends in a backslash\\",
    "\\G\\N\\l\\",
    "a:p:n",
    "line\nbreak",
    "</title><script>alert(1)</script>",
    "&lt;i&gt;",
    "java\nscript:x",
    "end",
    "]:::x; click n0 href",
    "`**bold**`",
    "\x1b[2J\x9b\u202e",
    "n" * 1_000_000,
]
ELEMENTS = {"svg", "g", "title", "polygon", "path", "text", "ellipse", "polyline"}
ATTRIBUTES = {
    "width", "height", "viewBox", "id", "class", "transform", "fill", "stroke", "points", "d",
    "text-anchor", "x", "y", "font-family", "font-size", "cx", "cy", "rx", "ry", "style",
    "stroke-width", "{http://www.w3.org/XML/1998/namespace}space",
}  # fmt: skip


@pytest.fixture
def load(tmp_path: Path):
    def from_text(text: str, **options: object) -> Net:
        path = tmp_path / "net.yaml"
        path.write_text(text)
        return netspec.load(str(path), **options)

    return from_text


def named(names: list[str]) -> Net:
    """Return a chain of layers with names no spec may have."""
    graph = Graph()
    value = graph.inputs[names[0]] = Value(names[0], None, Blob([1, 3]))
    for name in names:
        node = Node(name, Layer(), {}, None, 0, (), name, False)
        node.bottoms = [value]
        value.readers.append(node)
        value = Value(name, node, Blob([1, 3]))
        node.tops = [value]
        graph.nodes.append(node)
    graph.outputs[names[-1]] = value

    class Named:
        name = names[0]

    class Test:
        phase, scale = "TEST", None

    return Net(Named(), Test(), graph, (), ())


def parsed(text: str):
    pygraphviz = pytest.importorskip("pygraphviz")
    return pygraphviz.AGraph(string=text)


def fake(folder: Path, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "dot"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


# what is on a picture


@pytest.mark.parametrize("text", [SMALL, STAGES])
def test_unfolded_drawing_has_the_nodes_and_edges_of_the_graph(load, text):
    net = load(text)
    drawn = parsed(dot(net, depth=9))
    outputs = len(net.outputs)
    assert drawn.number_of_nodes() == net.graph.number_of_nodes() + outputs
    assert drawn.number_of_edges() == net.graph.number_of_edges() + outputs
    ids = {name: f"n{at}" for at, name in enumerate(net.graph)}
    edges = Counter((ids[a], ids[b]) for a, b in net.graph.edges())
    assert edges == Counter(edge for edge in drawn.edges() if edge[1] in ids.values())


def test_edges_carry_shapes_and_nodes_carry_counts(load):
    drawn = parsed(dot(load(SMALL)))
    assert drawn.get_edge("n0", "n1").attr["label"].strip() == "1×3×8×8"
    assert drawn.get_edge("n4", "n5").attr["label"].strip() == "1×10"
    label = drawn.get_node("n1").attr["label"]
    assert label == "conv1\\nConvolution 3×3, stride 2\\n112 weights, 972 MACs"
    assert drawn.get_node("n2").attr["label"] == "relu1\\nReLU, in place"


def test_only_other_dtypes_are_named():
    assert blob_text(Blob([2, 3])) == "2×3"
    assert blob_text(Blob([2], "int64")) == "2 int64"
    assert blob_text(Blob([])) == "scalar"


def test_inputs_and_outputs_differ_from_layers(load):
    drawn = parsed(dot(load(SMALL)))
    shapes = [node.attr["shape"] for node in drawn.nodes()]
    assert shapes == ["ellipse", "box", "box", "box", "box", "ellipse"]
    assert drawn.get_node("n5").attr["peripheries"] == "2"
    assert drawn.get_node("n0").attr["peripheries"] != "2"


def test_families_have_colours_of_their_own(load):
    drawn = parsed(dot(load(SMALL)))
    conv, relu, add, dense = (drawn.get_node(f"n{at}").attr["fillcolor"] for at in (1, 2, 3, 4))
    assert len({conv, relu, add, dense}) == 4
    assert conv == looks.FAMILIES["convolution"][0]


def test_every_family_of_the_layer_types_has_a_colour():
    from netspec.plugins import layer_types

    families = set()
    for stem in layer_types:
        module = layer_types.find(stem)
        families |= {
            cls.family for cls in vars(module).values()
            if isinstance(cls, type) and issubclass(cls, Layer)
        }  # fmt: skip
    assert families <= {*looks.FAMILIES}


def test_fills_are_light_enough_for_black_text():
    for fill, _ in looks.FAMILIES.values():
        red, green, blue = (int(fill[at : at + 2], 16) for at in (1, 3, 5))
        assert 0.2126 * red + 0.7152 * green + 0.0722 * blue > 200


def test_symbolic_sizes_read_as_mathematics(load):
    net = load(SMALL, inputs={"data": ["N", 3, "H", 8]})
    drawn = parsed(dot(net))
    assert drawn.get_edge("n1", "n2").attr["label"].strip() == "N×4×(⌈H/2⌉-1)×3"
    assert drawn.get_node("n1").attr["label"].endswith("112 weights\\n324·N·⌈H/2⌉-324·N MACs")
    assert size_text("ceil((floor(H/2)+1)/2)*N") == "⌈(⌊H/2⌋+1)/2⌉·N"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (99_999, "99,999"), (100_000, "100 k"), (999_499, "999 k"), (999_500, "1.00 M"),
     (60_192_808, "60.2 M"), (11_513_624_576, "11.5 G"), (10**21, "1,000,000 P")],
)  # fmt: skip
def test_counts_are_short(count, text):
    assert count_text(count) == text


def test_large_factors_of_symbolic_counts_are_short(load):
    net = load(STAGES, inputs={"data": ["N", 3, 320, 320]})
    drawn = parsed(dot(net, 9))
    assert drawn.get_node("n1").attr["label"].endswith("224 weights, 22.1 M·N MACs")


def test_the_longest_way_is_kept_straight(load):
    head = "  - {name: head, type: ReLU, bottom: stem}\n  - {name: layer1, bottom: stem"
    text = STAGES.replace("  - {name: layer1", head)
    shown = picture(load(text, n=1), 9)
    names = [box.name for box in shown.boxes]
    trunk = {(names[wire.source], names[wire.target]) for wire in shown.wires if wire.trunk}
    assert {("data", "stem"), ("stem", "layer1.0.conv1")} <= trunk
    assert ("layer1.0.conv2", "layer1.0.add") in trunk
    assert not {("stem", "head"), ("stem", "layer1.0.add")} & trunk


def test_loss_weights_and_frozen_and_shared_weights_are_said(load):
    net = load(SMALL)
    conv, relu, add, dense = net.flat.nodes
    relu.entry["loss_weight"] = 0.3
    for weight in conv.weights:
        weight.lr_mult = 0
    for weight in dense.weights:
        weight.owner = (conv, weight.name)
    drawn = parsed(dot(net))
    labels = [node.attr["label"] for node in drawn.nodes()][1:5]
    assert labels == [
        "conv1\\nConvolution 3×3, stride 2\\nfrozen\\n112 weights, 972 MACs",
        "relu1\\nReLU, in place, in the loss ×0.3",
        "twice\\nEltwise",
        "ip\\nInnerProduct, weights of conv1\\n360 MACs",
    ]
    assert add.name == "twice"


# folding


def test_depth_folds_blocks_into_one_node_each(load):
    net = load(STAGES)
    titles = {d: [b.title for b in picture(net, d).boxes if b.kind == "block"] for d in (1, 2, 3)}
    assert titles == {
        1: ["layer1", "layer2"],
        2: ["layer1.0 to layer1.3", "layer2.0 to layer2.1"],
        3: [],
    }
    assert len(picture(net, 1).boxes) == 1 + 5 + 1
    assert len(picture(net, 3).boxes) == len(net.graph) + 1


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_folding_loses_no_layer_and_no_weight(load, depth):
    net = load(STAGES)
    shown = picture(net, depth)
    assert sum(len(box.nodes) for box in shown.boxes) == len(net.layers)
    assert [node.name for box in shown.boxes for node in box.nodes] == [x.name for x in net.layers]
    block = next(box for box in picture(net, 1).boxes if box.title == "layer1")
    assert block.lines == ["layer1", "16 layers", "4,672 weights, 4.72 M MACs"]


def test_equal_blocks_in_a_row_are_one_node(load):
    block = next(box for box in picture(load(STAGES), 2).boxes if box.kind == "block")
    assert block.lines[1] == "×4, 4 layers each"
    assert block.lines[2] == "4,672 weights, 4.72 M MACs"


def test_a_block_read_from_elsewhere_stays_apart(load):
    net = load(STAGES)
    assert [box.times for box in picture(net, 2).boxes if box.kind == "block"] == [4, 2]
    by_name = {node.name: node for node in net.flat.nodes}
    value = by_name["layer1.1.add"].tops[0]
    value.readers.append(by_name["fc"])
    by_name["fc"].bottoms.append(value)
    assert [box.times for box in picture(net, 2).boxes if box.kind == "block"] == [2, 2, 2]


def test_blocks_that_differ_are_not_one(load):
    text = STAGES.replace("inputs: [x]", "inputs: [x]\n    vars: {k: 3}", 1)
    head, tail = text.split("kernel_size: 3, pad: 1}}\n      - {name: add")
    text = f"{head}kernel_size: $k, pad: '${{(k - 1) / 2}}'}}}}\n      - {{name: add{tail}"
    text = text.replace("{name: layer2, block: unit, repeat: 2}",
                        "{name: layer2, block: pair}")  # fmt: skip
    text = text.replace(
        "layers:\n  - {name: stem",
        """\
  pair:
    inputs: [x]
    layers:
      - {name: a, block: unit, bottom: x}
      - {name: b, block: unit, with: {k: 1}}
layers:
  - {name: stem""",
    )
    shown = picture(load(text), 2)
    assert [box.name for box in shown.boxes if box.kind == "block"][1:] == ["layer2.a", "layer2.b"]


def test_clusters_nest_as_the_names_do(load):
    drawn = parsed(dot(load(STAGES), depth=3))
    outer = drawn.subgraphs()
    assert [cluster.graph_attr["label"] for cluster in outer] == ["layer1", "layer2"]
    inner = outer[0].subgraphs()
    assert [cluster.graph_attr["label"] for cluster in inner] == [f"layer1.{i}" for i in range(4)]
    assert [len(cluster) for cluster in inner] == [4, 4, 4, 4]
    assert inner[0].nodes()[0].attr["label"].startswith("conv1\\n")


def test_a_slash_makes_a_block_and_a_lone_layer_makes_none():
    boxes = picture(named(["pool1/3x3", "a/b", "a/c", "end."])).boxes
    layers = [(box.title, box.groups) for box in boxes if box.kind == "layer"]
    assert layers == [("pool1/3x3", ()), ("b", ("a",)), ("c", ("a",)), ("end.", ())]


def test_a_large_net_is_folded_to_one_page(load):
    net = load(STAGES, n=60)
    said: list[str] = []
    text = draw(net, note=said.append)
    assert parsed(text).number_of_nodes() == 7
    assert len(said) == 1
    assert "drawn as 7 nodes, folded to --depth 2" in said[0]
    assert draw(net, depth=3, note=said.append).count("Eltwise") == 62
    assert len(said) == 1


def test_drawing_is_linear_in_deep_names():
    names = [f"{'a/' * 60}{at}" for at in range(200)]
    assert len(picture(named(names), 99).boxes) == 202
    assert dot(named(names), 99).count("subgraph") == 16


# text


def test_the_same_net_gives_the_same_bytes(load):
    net = load(STAGES)
    assert dot(net) == dot(net)
    program = (
        "import sys, netspec, netspec_graphviz as g; net = netspec.load(sys.argv[1]);"
        "sys.stdout.buffer.write((g.dot(net) + g.mermaid(net)).encode())"
    )
    command = [sys.executable, "-c", program, net.spec.document.source.name]
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        text = subprocess.run(command, env=env, check=True, capture_output=True).stdout
        assert text.decode() == dot(net) + mermaid(net)


def test_mermaid_golden(load):
    assert (
        mermaid(load(SMALL))
        == """\
flowchart TB
  n0(["data"])
  n1["conv1 · Convolution 3×3, stride 2 · 112 weights, 972 MACs"]
  n2["relu1 · ReLU, in place"]
  n3["twice · Eltwise"]
  n4["ip · InnerProduct · 370 weights, 360 MACs"]
  n5(["ip"])
  n0 -->|"1×3×8×8"| n1
  n1 -->|"1×4×3×3"| n2
  n2 -->|"1×4×3×3"| n3
  n2 -->|"1×4×3×3"| n3
  n3 -->|"1×4×3×3"| n4
  n4 -->|"1×10"| n5
  classDef convolution fill:#D9EAF7,stroke:#0072B2,color:#000
  class n1 convolution
  classDef dense fill:#FBE7C6,stroke:#C27C00,color:#000
  class n4 dense
  classDef activation fill:#FBF7CF,stroke:#B3A100,color:#000
  class n2 activation
  classDef merge fill:#E3F4FC,stroke:#3A9BCB,color:#000
  class n3 merge
  classDef data fill:#FFFFFF,stroke:#000000,color:#000
  class n0,n5 data
"""
    )


def test_mermaid_blocks_are_subgraphs(load):
    text = mermaid(load(STAGES), depth=3)
    assert text.count("subgraph ") == 8
    assert text.count("\n  end\n") + text.count("\n    end\n") == 8
    assert 'subgraph c1["layer1.0"]' in text


def test_left_to_right(load):
    assert 'rankdir="LR"' in dot(load(SMALL), direction="LR")
    assert mermaid(load(SMALL), direction="LR").startswith("flowchart LR\n")


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: repr(name[:12]))
def test_hostile_names_are_text_in_dot(name):
    net = named([name, name + "2"])
    drawn = parsed(dot(net))
    assert sorted(drawn.nodes()) == ["n0", "n1", "n2", "n3"]
    assert len(drawn.edges()) == 3
    assert {key for node in drawn.nodes() for key, value in node.attr.items() if value} <= {
        "label", "shape", "fillcolor", "color", "peripheries", "style", "height", "margin",
        "fontname", "fontsize",
    }  # fmt: skip
    assert all(line.isprintable() for line in dot(net).splitlines())
    assert len(dot(net)) < 5_000


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: repr(name[:12]))
def test_hostile_names_are_text_in_svg(name):
    pytest.importorskip("pygraphviz")
    net = named([name, name + "2"])
    root = ElementTree.fromstring(render(dot(net), "svg"))
    for element in root.iter():
        assert element.tag.rpartition("}")[2] in ELEMENTS
        assert set(element.attrib) <= ATTRIBUTES
        for value in element.attrib.values():
            assert "script:" not in value
    shown = [text.text for text in root.iter() if text.tag.endswith("}text")]
    first = name.encode("unicode_escape").decode() if not name.isprintable() else name
    if len(first) < 56:
        assert first in shown


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: repr(name[:12]))
def test_hostile_names_are_text_in_mermaid(name):
    text = mermaid(named([name, name + "2"]))
    for line in text.splitlines()[1:]:
        outside = re.sub(r'"[^"]*"', "", line)
        assert re.fullmatch(
            r"\s*n\d+(\(\[\]\)|\[\])|\s*subgraph c\d+\[\]|\s*end"
            r"|\s*n\d+ -->(\|\|)? n\d+|\s*class [n\d,]+ \w+"
            r"|\s*classDef \w+ fill:#\w+,stroke:#\w+,color:#000",
            outside,
        )
        assert not set("".join(re.findall(r'"([^"]*)"', line))) & set("<>\\`*[]{}|&\n")


# Graphviz


def test_png_svg_and_pdf(load):
    pytest.importorskip("pygraphviz")
    net = load(SMALL)
    assert draw(net, "png").startswith(b"\x89PNG")
    assert draw(net, "pdf").startswith(b"%PDF")
    assert b"Convolution" in draw(net, "svg")


def test_a_missing_renderer_names_both(load, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(renderer, "PYGRAPHVIZ", f"raise SystemExit({renderer.ABSENT})")
    with pytest.raises(netspec.SpecError) as caught:
        draw(load(SMALL), "svg")
    assert str(caught.value) == (
        "error[E503]: drawing svg needs Graphviz: neither `dot` nor pygraphviz is there\n"
        "  = help: install Graphviz, or pip install 'netspec[draw]'; .dot and .mmd need neither"
    )
    assert "digraph" in draw(load(SMALL), "dot")


def test_an_old_pygraphviz_counts_as_absent(tmp_path):
    (tmp_path / "pygraphviz.py").write_text("__version__ = '1.14'\n")
    for version in ("1.14", "2.0rc2", "2.0.1"):
        (tmp_path / "pygraphviz.py").write_text(f"__version__ = {version!r}\n")
        program = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{renderer.PYGRAPHVIZ}"
        done = subprocess.run([sys.executable, "-I", "-c", program, "svg"], check=False)
        assert done.returncode == renderer.ABSENT


def test_dot_on_path_comes_first(load, monkeypatch, tmp_path):
    fake(tmp_path / "bin", 'cat >/dev/null; echo "$0 $1 $LC_ALL $(pwd)"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert draw(load(SMALL), "svg").decode().split() == [f"{tmp_path}/bin/dot", "-Tsvg", "C", "/"]


def test_dot_in_the_current_directory_is_not_run(monkeypatch, tmp_path):
    path = fake(tmp_path / "here", "echo owned")
    monkeypatch.chdir(path.parent)
    for entry in ("", ".", str(path.parent), "../here", str(tmp_path / "link")):
        if entry.endswith("link"):
            os.symlink(path.parent, entry)
        monkeypatch.setenv("PATH", entry)
        assert renderer.find_dot() is None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(path.parent))
    assert renderer.find_dot() == str(path)
    path.chmod(0o644)
    assert renderer.find_dot() is None


def test_a_failing_dot_is_reported(load, monkeypatch, tmp_path):
    fake(tmp_path / "bin", "echo first >&2; printf 'no \\033[2J cairo' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(renderer, "PYGRAPHVIZ", f"raise SystemExit({renderer.ABSENT})")
    with pytest.raises(netspec.SpecError) as caught:
        draw(load(SMALL), "png")
    assert str(caught.value) == r"error[E504]: drawing failed: dot: no \x1b[2J cairo"


def test_a_dot_that_fails_leaves_the_work_to_pygraphviz(load, monkeypatch, tmp_path):
    pytest.importorskip("pygraphviz")
    fake(tmp_path / "bin", "kill -SEGV $$")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert b"<svg" in draw(load(SMALL), "svg")


def test_a_slow_dot_is_killed_with_its_children(load, monkeypatch, tmp_path):
    pids = tmp_path / "pids"
    fake(tmp_path / "bin", f"echo $$ > {pids}\nsleep 600 & echo $! >> {pids}\nwait")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    with ends(), pytest.raises(netspec.SpecError) as caught:
        render(dot(load(SMALL)), "svg", limit=0.5)
    assert "E504" in str(caught.value)
    assert "longer than 0.5 seconds" in str(caught.value)
    started = [int(line) for line in pids.read_text().split()]
    assert len(started) == 2
    deadline = time.monotonic() + 30  # init reaps the orphan
    while any(map(_running, started)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(_running, started))


def _running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_layout_that_hangs_is_ended():
    pytest.importorskip("pygraphviz")
    edges = "".join(f"n{a} -> n{b};" for a in range(150) for b in range(a + 1, 150))
    with ends(), pytest.raises(netspec.SpecError, match="longer than 1 seconds"):
        render(f"digraph {{ {edges} }}", "svg", limit=1)


def test_text_of_no_graph_is_reported():
    pytest.importorskip("pygraphviz")
    with pytest.raises(netspec.SpecError, match="E504"):
        render("digraph {", "svg")
    with pytest.raises(ValueError, match="gif"):
        render("digraph {}", "gif")


def test_too_many_nodes_are_refused():
    net = named([f"l{at}" for at in range(2_000)])
    with pytest.raises(netspec.SpecError) as caught:
        draw(net, "svg")
    assert "2,002 nodes are more than 2,000" in str(caught.value)
    assert "--depth" in str(caught.value)
    assert draw(net, "dot").count("->") == 2_001


# the command


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "net.yaml"
    path.write_text(STAGES)
    return str(path)


def test_command_writes_by_ending(spec, tmp_path, capsys):
    pytest.importorskip("pygraphviz")
    for ending, start in {
        "dot": b"digraph", "mmd": b"flowchart", "svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF",
    }.items():  # fmt: skip
        out = tmp_path / f"net.{ending}"
        assert main(["draw", spec, "-o", str(out)]) == 0
        assert out.read_bytes().startswith(start)
    assert capsys.readouterr().err == ""


def test_command_prints_dot(spec, capsys):
    assert main(["draw", spec, "--depth", "1", "--direction", "LR"]) == 0
    out = capsys.readouterr().out
    assert out == dot(netspec.load(spec), 1, "LR")


def test_command_takes_variables_and_shapes(spec, capsys):
    given = ["--set", "n=2", "--shape", "data=1,3,H,32", "--at", "H=16", "--format", "mmd"]
    assert main(["draw", spec, *given]) == 0
    out = capsys.readouterr().out
    assert "1×3×16×32" in out
    assert 'subgraph c2["layer1.1"]' in out
    assert "layer1.2" not in out


def test_command_says_that_it_folds(spec, capsys):
    assert main(["draw", spec, "--set", "n=60"]) == 0
    assert capsys.readouterr().err.startswith("note: 251 layers are drawn as 7 nodes")


def test_command_keeps_what_is_there(spec, tmp_path, capsys):
    out = tmp_path / "net.dot"
    out.write_text("mine")
    assert main(["draw", spec, "-o", str(out)]) == 1
    assert out.read_text() == "mine"
    assert "E506" in capsys.readouterr().err
    assert main(["draw", spec, "-o", str(out), "--force"]) == 0
    assert out.read_text().startswith("digraph")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["-o", "net.gif"], "E506"),
        (["--shape", "other=1,2"], "E335"),
        (["--set", "m=3"], "E305"),
        (["--scale", "big"], "E307"),
    ],
)
def test_command_reports_what_is_wrong(spec, capsys, options, code):
    assert main(["draw", spec, *options]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.match(r"error\[E\d+\]", captured.err)
    assert f"[{code}]" in captured.err


@pytest.mark.parametrize(
    "options",
    [["--depth", "0"], ["--depth", "x"], ["--at", "H"], ["--at", "H=-1"], ["--set", "n"],
     ["--set", "n=["],
     ["--shape", "data="], ["--format", "gif"], ["--direction", "up"]],
)  # fmt: skip
def test_command_refuses_wrong_usage(spec, options, capsys):
    assert main(["draw", spec, *options]) == 2
    assert capsys.readouterr().out == ""


def test_formats_agree():
    from netspec.commands import draw as command

    assert command.FORMATS == netspec_graphviz.FORMATS
    assert set(renderer.FORMATS) < set(command.FORMATS)
