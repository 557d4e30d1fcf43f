"""Write a caffemodel: the few lines of protobuf's wire format that hold names and weights."""

from __future__ import annotations

import re

import numpy as np


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def message(field, data):
    """Return a length-delimited field."""
    return varint(field << 3 | 2) + varint(len(data)) + data


def blob(array):
    shape = message(1, b"".join(varint(size) for size in array.shape))
    return message(5, np.ascontiguousarray(array, "<f4").tobytes()) + message(7, shape)


def caffemodel(layers):
    """Return a NetParameter of (name, type, arrays) for each layer."""
    return b"".join(
        message(
            100,
            message(1, name.encode()) + message(2, kind.encode())
            + b"".join(message(7, blob(array)) for array in arrays),
        )
        for name, kind, arrays in layers
    )  # fmt: skip


def weights(net, model):
    """Return the blobs of each layer of a net, in Caffe's order, as the module holds them."""
    tensors = model.state_dict()
    paths = {name: path for path, name in getattr(model, "names", {}).items()}
    return [
        (
            layer.name,
            layer.type,
            [
                tensors[f"{paths.get(layer.name, layer.name)}.{weight.name}"].numpy()
                for weight in layer.node.layer.blob_order(list(layer.weights), list(layer.state))
            ],
        )
        for layer in net.layers
        if layer.weights or layer.state
    ]


def deployed(text, net):
    """Return a prototxt without the layers and inputs that a net does not have.

    OpenCV runs a layer whatever its include and exclude rules say.
    """
    kept = {layer.name for layer in net.layers} | net.inputs.keys()
    head, *layers = re.split(r"^layer ", text, flags=re.MULTILINE)
    found = [
        layer
        for layer in layers
        if re.search(r'name: "([^"]*)"', layer)[1] in kept and "phase: TRAIN" not in layer
    ]
    return head + "".join("layer " + layer for layer in found)
