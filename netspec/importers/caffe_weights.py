"""Match the weights of a Caffe net with the layers of a spec, as Caffe itself does."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from ..graph import Node
    from ..infer import Weight
    from ..net import Net

    Arrays = Sequence[Any]  # numpy arrays: one layer's blobs


class Fit:
    """Arrays by `layer.weight`, and what was found about each layer on the way.

    `misfits` are layers whose blobs cannot be those of the net; `unknown` are layers of the file
    that the net has not, which Caffe passes over; `missing` are layers with weights that the file
    has not, which keep what they start with.
    """

    __slots__ = ("arrays", "fitted", "misfits", "missing", "unknown")

    def __init__(self) -> None:
        self.arrays: dict[str, Any] = {}
        self.fitted: list[str] = []
        self.misfits: list[tuple[str, str]] = []
        self.unknown: list[str] = []
        self.missing: list[str] = []

    def __str__(self) -> str:
        lines = [f"{len(self.fitted)} layers fit"]
        lines += [f"{name}: {why}" for name, why in self.misfits]
        if self.missing:
            lines.append(f"not in the file, kept as they start: {', '.join(self.missing)}")
        if self.unknown:
            lines.append(f"not in the net, passed over: {', '.join(self.unknown)}")
        return "\n".join(lines)


def fit(
    net: Net, stored: Iterable[tuple[str, Arrays]], renamed: Mapping[str, str] | None = None
) -> Fit:
    """Return the arrays of a net's weights and state out of the layers of a weights file.

    A layer of the file goes to the first layer of the net that has its name; `renamed` gives the
    name in Caffe of a layer whose name here is another one.
    Source: BVLC/caffe, src/caffe/net.cpp, CopyTrainedLayersFrom.
    """
    found = Fit()
    renamed = renamed or {}
    targets: dict[str, Node] = {}
    for node in net.flat.nodes:
        targets.setdefault(renamed.get(node.name, node.name), node)
    for name, blobs in stored:
        if name not in targets:
            if len(blobs):
                found.unknown.append(name)
            continue
        node = targets[name]
        weights = node.layer.blob_order(list(node.weights), list(node.state))
        if not blobs and not weights:
            continue
        if why := misfit(weights, blobs):
            found.misfits.append((name, why))
            continue
        found.fitted.append(node.name)
        place(node, weights, blobs, found.arrays)
    have = set(found.fitted)
    for node in net.flat.nodes:
        own = [weight for weight in (*node.weights, *node.state) if weight.owner is None]
        if own and node.name not in have and not any(key(node, w) in found.arrays for w in own):
            found.missing.append(node.name)
    return found


def misfit(weights: Sequence[Weight], blobs: Arrays) -> str:
    """Return why blobs cannot be these weights; nothing where they can."""
    if len(weights) != len(blobs):
        return f"the file has {len(blobs)} blobs, the layer {len(weights)}"
    for index, (weight, blob) in enumerate(zip(weights, blobs, strict=True)):
        if blob is None:
            if weight.owner is None:
                return f"the file has no blob {index}, `{weight.name}`"
        elif not alike(tuple(blob.shape), weight.shape, getattr(blob, "legacy", False)):
            theirs, ours = ("x".join(map(str, each)) or "1" for each in (blob.shape, weight.shape))
            return f"blob {index} is {theirs} in the file, `{weight.name}` is {ours}"
    return ""


def alike(stored: Sequence[Any], shape: Sequence[Any], legacy: bool) -> bool:
    """Return whether a stored shape is a weight's; the old one of four axes is padded in front."""
    if not legacy:
        return tuple(stored) == tuple(shape)
    return len(shape) <= 4 and tuple(stored) == (1,) * (4 - len(shape)) + tuple(shape)


def place(node: Node, weights: Sequence[Weight], blobs: Arrays, arrays: dict[str, Any]) -> None:
    """Put the blobs of one layer among the arrays, under the name of who owns them."""
    import numpy

    values = [
        blob.numpy() if hasattr(blob, "numpy") else numpy.asarray(blob, numpy.float32)
        for blob in blobs if blob is not None
    ]  # fmt: skip
    weights = [weight for weight, blob in zip(weights, blobs, strict=True) if blob is not None]
    if node.type == "BatchNorm" and len(values) >= 3:
        factor = float(values[2].reshape(-1)[0])
        scale = 1.0 / factor if factor else 0.0
        values[0], values[1] = values[0] * numpy.float32(scale), values[1] * numpy.float32(scale)
        if weights[2] is weights[1]:  # PyTorch's form has no place for the factor
            weights, values = [*weights[:2], *weights[3:]], [*values[:2], *values[3:]]
    for weight, value in zip(weights, values, strict=True):
        owner, name = weight.owner or (node, weight.name)
        shape = next(w.shape for w in (*owner.weights, *owner.state) if w.name == name)
        arrays[f"{owner.name}.{name}"] = value.reshape(shape)


def key(node: Node, weight: Weight) -> str:
    """Return the name of a weight among the arrays."""
    owner, name = weight.owner or (node, weight.name)
    return f"{owner.name}.{name}"


def entries(net: Net, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arrays under every name they have in a module: sharers' beside the owner's."""
    found = dict(arrays)
    for node in net.flat.nodes:
        for weight in (*node.weights, *node.state):
            if weight.owner is not None and key(node, weight) in arrays:
                found[f"{node.name}.{weight.name}"] = arrays[key(node, weight)]
    return found
