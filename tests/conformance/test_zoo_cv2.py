"""Shipped nets against OpenCV's Caffe and Darknet readers, which know nothing of this project.

Caffe nets are written as prototxt and caffemodel from the checked net; YOLO's cfg is written here
from the paper.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy
import pytest
import torch

import netspec
from netspec.importers.caffe_weights import key

sys.path.insert(0, str(Path(__file__).parent))
from narrow import narrow
from references import close, randomise

pytestmark = pytest.mark.reference
cv2 = pytest.importorskip("cv2")


def message(fields):
    """Return the text form of a protobuf message."""
    parts = []
    for name, value in fields.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                parts.append(f"{name} {{ {message(item)} }}")
            else:
                parts.append(f"{name}: {str(item).lower() if isinstance(item, bool) else item}")
    return " ".join(parts)


def prototxt(net, at):
    """Return a net as Caffe's text, its inputs at a size."""
    lines = []
    for name, blob in net.inputs.items():
        dims = [size if isinstance(size, int) else size.at(at) for size in blob.shape]
        lines.append(f'input: "{name}" input_shape {{ {message({"dim": dims})} }}')
    for node in net.flat.nodes:
        kind, params = node.type, {}
        for name, fields in node.entry.items():
            if name.endswith("_param"):
                params[name] = {k: v for k, v in fields.items() if not k.endswith("filler")}
        if kind == "DepthwiseConvolution":
            fields = params["convolution_param"]
            kind, group = "Convolution", node.weights[0].shape[0] // fields.pop("depth_multiplier")
            fields |= {"num_output": node.weights[0].shape[0], "group": group}
        wires = [f'bottom: "{value.name}"' for value in node.bottoms]
        wires += [f'top: "{value.name}"' for value in node.tops]
        lines.append(f'layer {{ name: "{node.name}" type: "{kind}" {" ".join(wires)}')
        lines.append(f"  {message(params)} }}")
    return "\n".join(lines).encode()


def field(number, body):
    """Return a length-delimited field of a protobuf message."""
    return varint(number << 3 | 2) + varint(len(body)) + body


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def caffemodel(net, model):
    """Return the weights of a built net as Caffe stores them."""
    state = model.state_dict()
    places = {layer: path for path, layer in getattr(model, "names", {}).items()}
    out = b""
    for node in net.flat.nodes:
        blobs = node.layer.blob_order(list(node.weights), list(node.state))
        if not blobs:
            continue
        body = field(1, node.name.encode()) + field(2, node.type.encode())
        for blob in blobs:
            layer, _, weight = key(node, blob).rpartition(".")
            array = state[f"{places.get(layer, layer)}.{weight}"].float().numpy()
            shape = b"".join(map(varint, array.shape or (1,)))
            body += field(7, field(7, field(1, shape)) + field(5, array.astype("<f4").tobytes()))
        out += field(100, body)
    return out


# name, size of the image, blobs to compare
CAFFE = [
    ("lenet_caffe", (28, 28), ["relu1", "ip2"]),
    ("cifar10_quick_caffe", (32, 32), ["relu1", "pool3", "ip2"]),
    ("cifar10_full_caffe", (32, 32), ["norm2", "ip1"]),
    ("alexnet_caffe", (227, 227), ["pool5", "fc8"]),
    ("caffenet", (227, 227), ["pool5", "fc8"]),
    ("rcnn_ilsvrc13", (227, 227), ["pool5", "fc-rcnn"]),
    ("googlenet_caffe", (224, 224), ["inception_4e.output", "classifier"]),
    ("inception_v2_tfslim", (103, 103), ["reduction_a.concat", "classifier"]),
    ("fcn32s_voc", (40, 57), ["score_fr", "score"]),
    ("fcn16s_voc", (40, 57), ["score_fr", "score"]),
    ("fcn8s_voc", (40, 57), ["score_fr", "score"]),
    ("fcn_alexnet_voc", (50, 71), ["score_fr", "score"]),
    ("fcn_alexnet_digits12", (50, 71), ["score_fr", "score"]),
    ("colorization_eccv16", (40, 56), ["conv7_3norm", "conv8_313", "class8_ab"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "size", "blobs"), CAFFE, ids=[row[0] for row in CAFFE])
def test_caffe_nets(tmp_path, name, size, blobs):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    at = {"N": 1, "H": size[0], "W": size[1]}
    net = netspec.load(narrow(tmp_path, name, 16) if "fcn" in name else f"zoo:{name}")
    ours = randomise(netspec.build(net, outputs=blobs, init=False)).eval()
    with torch.no_grad():
        for weight, value in ours.state_dict().items():
            if weight.endswith("factor"):
                value.fill_(1)
    channels = next(iter(net.inputs.values())).shape[1]
    x = torch.randn(1, channels, *size)
    text, weights = prototxt(net, at), caffemodel(net, ours)
    theirs = cv2.dnn.readNetFromCaffe(
        numpy.frombuffer(text, numpy.uint8), numpy.frombuffer(weights, numpy.uint8)
    )
    theirs.setInput(x.numpy(), next(iter(net.inputs)))
    wanted = dict(zip(blobs, theirs.forward(blobs), strict=True))
    with torch.no_grad():
        found = ours(x)
    for blob in blobs:
        close(found[blob], torch.from_numpy(wanted[blob]), 2e-5)


def cfg(width):
    """Return YOLO's cfg, narrow; the sizes of figure 3 of the paper."""
    rows = ["[net]\nheight=448\nwidth=448\nchannels=3\n"]

    def conv(filters, size, stride=1):
        rows.append(
            f"[convolutional]\nfilters={filters // width}\nsize={size}\nstride={stride}\npad=1\n"
            "activation=leaky\n"
        )

    def pool():
        rows.append("[maxpool]\nsize=2\nstride=2\n")

    conv(64, 7, 2)
    pool()
    conv(192, 3)
    pool()
    for filters, size in (128, 1), (256, 3), (256, 1), (512, 3):
        conv(filters, size)
    pool()
    for filters, size in [(256, 1), (512, 3)] * 4 + [(512, 1), (1024, 3)]:
        conv(filters, size)
    pool()
    for filters, size in [(512, 1), (1024, 3)] * 2 + [(1024, 3)]:
        conv(filters, size)
    conv(1024, 3, 2)
    conv(1024, 3)
    conv(1024, 3)
    rows.append(f"[connected]\noutput={4096 // width}\nactivation=leaky\n")
    rows.append("[connected]\noutput=1470\nactivation=linear\n")
    return "\n".join(rows).encode()


def test_yolo_is_darknets(tmp_path):
    ours = randomise(netspec.build(narrow(tmp_path, "yolo_v1_2015", 16))).eval()
    stored = struct.pack("<4i", 0, 1, 0, 0)
    modules = [m for m in ours.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(modules) == 26
    for module in modules:
        for weight in module.bias, module.weight:
            stored += weight.detach().numpy().astype("<f4").tobytes()
    theirs = cv2.dnn.readNetFromDarknet(
        numpy.frombuffer(cfg(16), numpy.uint8), numpy.frombuffer(stored, numpy.uint8)
    )
    x = torch.randn(1, 3, 448, 448)
    theirs.setInput(x.numpy())
    with torch.no_grad():
        close(ours(x), torch.from_numpy(theirs.forward()), 2e-5)
