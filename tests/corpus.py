"""Try the importers on real network files; `python -m tests.corpus` writes the table.

The files lie in the folder that NETSPEC_CORPUS names; they are no part of this repository.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

import netspec
from netspec.importers.caffe_data import SOURCES
from tests import darknet_counts

ROOT = Path(os.environ.get("NETSPEC_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))
DATA = {"Input", *SOURCES}

Row = dict[str, Any]
Outcome = tuple[str, str]  # same, differs, refused, taken, asked, read; and what is said of it


def rows() -> list[Row]:
    """Return the index: a row a file."""
    found: list[Row] = json.loads((ROOT / "index.json").read_text())
    return found


def network(row: Row) -> bool:
    """Return whether a file is a whole Caffe network."""
    return row["format"] in ("V0", "V1", "V2", "mixed") and row["kind"] != "fragment"


def outcome(row: Row, phase: str) -> Outcome:
    """Return what comes of one file in one phase, against what the real Caffe said."""
    said = row.get("caffe", {}).get(phase)
    path = str(ROOT / row["file"])
    if isinstance(said, str):
        wanted = json.loads((ROOT / said).read_text())
        try:
            net = netspec.load(path, phase=phase, inputs=given(wanted))
        except netspec.SpecError as error:
            return "refused wrongly", str(error.diagnostics[0])
        faults = differences(net, wanted)
        return ("differs", "; ".join(faults[:4])) if faults else ("same", "")
    try:
        netspec.load(path, phase=phase)
    except netspec.SpecError as error:
        first = error.diagnostics[0]
        asked = all(found.code.id == "E624" for found in error.diagnostics)
        if asked and not (said is not None and "error" in said):
            return "shape asked", str(first)
        return "refused", str(first)
    if said is not None and "error" in said:
        return "taken", said["error"]
    return "taken", "" if said is None else "needs data"


def given(wanted: Row) -> dict[str, list[int]]:
    """Return the shapes of everything that data layers make."""
    found = {}
    for layer in wanted["layers"]:
        if layer["type"] in DATA:
            found.update(zip(layer["tops"], layer["top_shapes"], strict=True))
    return found


def differences(net: netspec.Net, wanted: Row) -> list[str]:
    """Return what is not as in Caffe: layers in order, shapes, weights, totals, outputs."""
    layers = [each for each in wanted["layers"] if each["type"] not in DATA]
    nodes = [node for node in net.flat.nodes if node.type not in DATA]
    renamed = net.spec.document.renamed
    found = []
    if len(nodes) != len(layers):
        return [f"{len(nodes)} layers, Caffe has {len(layers)}"]
    # Caffe tells the shape that a blob has in the end
    names = {**net.flat.inputs, **net.flat.names}
    automatic = set()
    for node, layer in zip(nodes, layers, strict=True):
        if (name := renamed.get(node.name, node.name)) != layer["name"]:
            found.append(f"layer {name}, Caffe's {layer['name']}")
        shapes = [list(names[value.name].blob.shape) for value in node.tops]
        if layer["tops"] == ["(automatic)"]:
            automatic.update(value.name for value in node.tops)
        if shapes != layer["top_shapes"]:
            found.append(f"{node.name}: tops {shapes}, Caffe's {layer['top_shapes']}")
        blobs = node.layer.blob_order(list(node.weights), list(node.state))
        weights = [list(weight.shape) for weight in blobs]
        if weights != layer["params"]:
            found.append(f"{node.name}: weights {weights}, Caffe's {layer['params']}")
    total = net.params.total + net.params.buffers
    if total != wanted["total_params"]:
        found.append(f"{total} weights in all, Caffe's {wanted['total_params']}")
    outputs = {name for name in wanted["outputs"] if "_split_" not in name}
    unread = {n for n in outputs & set(net.spec.inputs) if n not in names or not names[n].maker}
    if set(net.outputs) - automatic != outputs - unread:
        found.append(f"outputs {sorted(net.outputs)}, Caffe's {wanted['outputs']}")
    return found


def opencv_differences(row: Row) -> list[str] | None:
    """Return what is not as OpenCV's own importer has it; None where we refuse the file."""
    wanted = json.loads((ROOT / row["opencv"]).read_text())
    try:
        net = netspec.load(str(ROOT / row["file"]), inputs=wanted["inputs"])
    except netspec.SpecError:
        return None
    nodes = {node.name: node for node in net.flat.nodes}
    found = []
    for layer in wanted["file_layers"]:
        node = nodes.get(layer["name"])
        if node is None or not layer["shapes"]:
            continue  # OpenCV keeps layers of every phase, and drops what does nothing
        shapes = [list(value.blob.shape) for value in node.tops if value.blob]
        if shapes != layer["shapes"][: len(shapes)]:
            found.append(f"{node.name} ({node.type}): {shapes}, OpenCV's {layer['shapes']}")
    return found


# of a cfg: the layers whose shapes OpenCV tells under a name that follows from ours
DARKNET = {
    "conv": "conv", "bn": "bn", "pool": "pool", "upsample": "upsample", "fullyConnected": "fc",
    "reorg": "reorg", "dropout": "drop",
}  # fmt: skip


def darknet_outcome(row: Row) -> Outcome:
    """Return what comes of a cfg, against the counts of darknet and what OpenCV said."""
    path = str(ROOT / row["file"])
    try:
        net = netspec.load(path)
        if miscounted := darknet_differences(net, Path(path)):
            return "differs", miscounted
        if "opencv" not in row:
            return "counted", ""
        wanted = json.loads((ROOT / row["opencv"]).read_text())
        if "[crop]" not in Path(path).read_text(errors="replace"):  # here it is part of the data
            net = netspec.load(path, inputs={"data": wanted["inputs"]["data"]})
    except netspec.SpecError as error:
        return "refused", str(error.diagnostics[0])
    nodes = {node.name: node for node in net.flat.nodes}
    found = []
    for name, shapes in wanted["layers"].items():
        stem, _, index = name.rpartition("_")
        node = nodes.get(DARKNET.get(stem, "?") + index)
        if node is not None:
            ours = [list(value.blob.shape) for value in node.tops if value.blob]
            if ours[0][1:] != shapes[0][1:]:
                found.append(f"{node.name}: {ours}, OpenCV's {shapes}")
    return ("differs", "; ".join(found[:4])) if found else ("same", "")


def darknet_differences(net: netspec.Net, path: Path) -> str:
    """Return what is not as many as in darknet: weights, or numbers in the last blob."""
    weights, numbers = darknet_counts.counts(path)
    stored = [
        prod(weight.shape)
        for node in net.flat.nodes
        for weight in (*node.weights, *node.state)
        if not weight.owner
    ]
    if sum(stored) != weights:
        return f"{sum(stored)} weights, darknet keeps {weights}"
    last = prod(list(net.outputs.values())[-1].shape[1:])
    return f"{last} numbers at the end, darknet has {numbers}" if last != numbers else ""


def main() -> None:
    """Write a row a file and phase, and the counts at the end."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows():
        if row["format"] == "darknet":
            status, note = darknet_outcome(row)
            counts["darknet", status] += 1
            note = note.replace(str(ROOT) + "/files/", "")[:300]
            sys.stdout.write(f"{row['file'].removeprefix('files/')}\t\t{status}\t{note}\n")
        if not network(row):
            continue
        for phase in ("TEST", "TRAIN"):
            status, note = outcome(row, phase)
            counts[row["format"], status] += 1
            note = note.replace(str(ROOT) + "/files/", "")[:300]
            sys.stdout.write(f"{row['file'].removeprefix('files/')}\t{phase}\t{status}\t{note}\n")
    for (form, status), count in sorted(counts.items()):
        sys.stdout.write(f"{form}\t{status}\t{count}\n")


if __name__ == "__main__":
    main()
