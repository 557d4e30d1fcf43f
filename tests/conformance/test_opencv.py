"""Whole Caffe nets in OpenCV, which reads the prototxt and the caffemodel that a spec becomes.

OpenCV runs in a process of its own: a file it does not like can end it.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys

import numpy as np
import pytest
import torch

import netspec
from netspec.diagnostics import Report
from netspec.importers.caffe_write import prototxt
from netspec.pipeline import Imports, open_spec
from tests.conformance import caffemodel_writer
from tests.conformance.references import randomise
from tests.properties import graphs, oracle

pytest.importorskip("cv2")
HERE = os.path.dirname(os.path.abspath(__file__))
SPECS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "specs")
CHILD = """
import os, sys, numpy as np, cv2
cv2.setNumThreads(1)

def run(folder):
    net = cv2.dnn.readNetFromCaffe(folder + "/net.prototxt", folder + "/net.caffemodel")
    given = np.load(folder + "/in.npz")
    for name in given.files:
        net.setInput(given[name], name)
    blobs, layers = zip(*(line.split() for line in open(folder + "/names")))
    np.savez(folder + "/out.npz", **dict(zip(blobs, net.forward(layers))))

for folder in sys.argv[1:]:
    process = os.fork()
    if not process:
        try:
            run(folder)
        except cv2.error as error:
            open(folder + "/error", "w").write(str(error))
        os._exit(0)
    status = os.waitpid(process, 0)[1]
    if status:
        open(folder + "/error", "w").write(f"ended with status {status}")
"""


def write(folder, spec, shapes, feed=None, choice=None):
    """Write a spec as Caffe's two files, and inputs; return the module and what it gives."""
    report = Report()
    opened, scale = open_spec(str(spec), report)
    text = prototxt(opened, Imports(opened, report), choice or scale, {}, shapes, report)
    net = netspec.load(str(spec), inputs=shapes, scale=choice)
    with torch.device("cpu"):
        model = randomise(netspec.build(net, outputs=list(net.outputs)), 3).eval()
    for name, tensor in model.named_buffers():
        if name.endswith("factor"):
            tensor.fill_(1.0)
    generator = torch.Generator().manual_seed(1)
    feed = feed or [torch.randn(blob.shape, generator=generator) for blob in net.inputs.values()]
    with torch.no_grad():
        found = model(*feed)
    if isinstance(found, torch.Tensor):
        found = {next(iter(net.outputs)): found}
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "net.prototxt"), "w") as file:
        file.write(caffemodel_writer.deployed(text, net))
    with open(os.path.join(folder, "net.caffemodel"), "wb") as file:
        file.write(caffemodel_writer.caffemodel(caffemodel_writer.weights(net, model)))
    with open(os.path.join(folder, "names"), "w") as file:
        makers = {top.blob: layer.name for layer in net.layers for top in layer.tops}
        file.write("\n".join(f"{blob} {makers[blob]}" for blob in found))
    arrays = {name: tensor.numpy() for name, tensor in zip(net.inputs, feed, strict=True)}
    np.savez(os.path.join(folder, "in.npz"), **arrays)
    return net, found


def opencv(*folders):
    """Run nets in OpenCV; return the exit status."""
    command = [sys.executable, "-c", CHILD, *map(str, folders)]
    return subprocess.run(command, timeout=600, check=False).returncode


def outputs(folder):
    """Return what OpenCV made of a net, or why it did not."""
    try:
        return dict(np.load(os.path.join(folder, "out.npz")))
    except FileNotFoundError:
        with open(os.path.join(folder, "error")) as file:
            return file.read()


def compare(found, theirs, tolerance):
    """Assert that two nets give the same, within a fraction of the largest value."""
    assert isinstance(theirs, dict), theirs
    for name, ours in found.items():
        ours, other = ours.numpy(), theirs[name]
        assert ours.size == other.size, (name, ours.shape, other.shape)
        ours, other = (np.nan_to_num(x.ravel(), nan=1e30, posinf=2e30) for x in (ours, other))
        scale = np.abs(ours).max()
        difference = np.abs(ours - other).max()
        assert difference <= tolerance * scale, (name, difference, scale)


SMALL = {"num_output: 4096": "num_output: 48"}
slow, reference = pytest.mark.slow, pytest.mark.reference
NETS = [
    pytest.param("lenet_caffe", [2, 1, 28, 28], {}),
    pytest.param("cifar10_quick_caffe", [2, 3, 32, 32], {}),
    pytest.param("cifar10_full_caffe", [2, 3, 32, 32], {}),
    pytest.param("alexnet_caffe", [1, 3, 227, 227], SMALL, marks=slow),
    pytest.param("caffenet", [1, 3, 227, 227], SMALL, marks=slow),
    pytest.param("googlenet_caffe", [1, 3, 224, 224], {}, marks=slow),
    pytest.param("fcn8s_voc", [1, 3, 33, 50], SMALL, marks=slow),
    pytest.param("fcn16s_voc", [1, 3, 33, 50], SMALL, marks=slow),
    pytest.param("fcn32s_voc", [1, 3, 33, 50], SMALL, marks=slow),
    pytest.param("ppgn_generator_fc6", [1, 4096], {}, marks=reference),
    pytest.param("alexnet_caffe", [1, 3, 227, 227], {}, marks=reference),
    pytest.param("caffenet", [2, 3, 227, 227], {}, marks=reference),
    pytest.param("rcnn_ilsvrc13", [1, 3, 227, 227], {}, marks=reference),
    pytest.param("vgg@vgg16", [1, 3, 224, 224], {}, marks=reference),
    pytest.param("vgg@vgg19", [1, 3, 64, 96], SMALL, marks=slow),
    pytest.param("fcn8s_voc", [1, 3, 64, 64], {}, marks=reference),
]


@pytest.mark.parametrize(("name", "shape", "edits"), NETS)
def test_a_whole_net(name, shape, edits, tmp_path):
    name, _, scale = name.partition("@")
    with open(os.path.join(SPECS, f"{name}.yaml"), encoding="utf-8") as file:
        text = file.read()
    for old, new in edits.items():
        assert old in text, f"{name} has no {old}"
        text = text.replace(old, new)
    spec = tmp_path / "net.yaml"
    spec.write_text(text, encoding="utf-8")
    first, *others = re.findall(r"^  (\w+): (?:\[|\{shape)", text, flags=re.MULTILINE)
    shapes = {first: shape, **{other: shape[:1] for other in others if other == "label"}}
    _, found = write(tmp_path / "files", spec, shapes, choice=scale or None)
    assert opencv(tmp_path / "files") == 0
    assert all(tensor.abs().max() > 0 for tensor in found.values())
    compare(found, outputs(tmp_path / "files"), 1e-5)


KNOWN = [  # types that OpenCV runs as Caffe does
    "AbsVal", "BNLL", "BatchNorm", "Concat", "Convolution", "Deconvolution", "Dropout", "ELU",
    "Eltwise", "Flatten", "InnerProduct", "LRN", "PReLU", "Pooling", "Power", "ReLU", "Scale",
    "Sigmoid", "Softmax", "TanH",
]  # fmt: skip


OTHERS = {  # fields that Caffe, or OpenCV, does not have
    "binary_weight", "broadcast", "ceil_mode", "concat_dim", "count_include_pad", "equalized_lr",
    "hole", "k", "norm_region", "output_padding", "output_size", "pad_b", "pad_begin", "pad_end",
    "pad_l", "pad_r", "pad_t", "pad_type", "scale_bias", "scale_train", "spectral_norm",
    "transpose", "use_global_stats",
}  # fmt: skip


def random_net(draw):
    """Return a random net of images in words that Caffe has; None where it needs others."""
    made = graphs.Graph(draw, KNOWN)
    made.shape = lambda rank: graphs.Graph.shape(made, 4)
    for _ in range(draw.randint(1, 7)):
        graphs.OPS[draw.choice(KNOWN)](made)
    made.sources.clear()
    for entry in made.entries:
        if entry["type"] == "LRN":  # where it is not given, OpenCV takes alpha for 0.0001
            entry["lrn_param"] = {"alpha": 1} | entry.get("lrn_param", {})
    words = {field for entry in made.entries for key, params in entry.items()
             if key.endswith("_param") for field in params}  # fmt: skip
    pools = {entry.get("pooling_param", {}).get("pool") for entry in made.entries}
    if not made.entries or words & OTHERS or not pools <= {None, "MAX", "AVE"}:
        return None
    for entry in made.entries:  # OpenCV leaves these axes and this bias out
        if "axis" in entry.get("inner_product_param", {}):
            return None
        if len(entry["bottom"]) == 2 and "bias_term" in entry.get("scale_param", {}):
            return None
    return made


@pytest.mark.parametrize("seed", range(4))
def test_random_nets(seed, tmp_path):
    nets, folders = {}, []
    number = 0
    while len(folders) < 50:
        number += 1
        graph = random_net(random.Random(f"{seed} {number}"))
        spec = tmp_path / f"{number}.yaml"
        if graph is None:
            continue
        spec.write_text(graph.text(graph.sizes()), encoding="utf-8")
        generator = torch.Generator().manual_seed(number)
        net = netspec.load(str(spec))
        kinds = {blob.name: (blob, kind, limit) for blob, kind, limit in graph.inputs}
        feed = [oracle.data(*kinds[name], generator) for name in net.inputs]
        nets[number] = graph, *write(tmp_path / str(number), spec, {}, feed)
        folders.append(tmp_path / str(number))
    assert opencv(*folders) == 0
    wrong, ran = [], 0
    for folder in folders:
        graph, _, found = nets[int(folder.name)]
        theirs = outputs(folder)
        if isinstance(theirs, str):
            continue  # OpenCV does not read all that Caffe does
        ran += 1
        firsts = {entry["top"][0] for entry in graph.entries}  # OpenCV gives no other by name
        try:
            compare({n: t for n, t in found.items() if n in firsts}, theirs, 1e-4)
        except AssertionError as difference:
            wrong.append(f"{difference}\n{graph.text(graph.sizes())}")
    assert not wrong, f"{len(wrong)} of {ran}:\n" + "\n".join(wrong[:3])
    assert ran > 25
