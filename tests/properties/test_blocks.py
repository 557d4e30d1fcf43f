"""Random nets made of blocks: their source has classes, and does what flat source does."""

from __future__ import annotations

import json
import random

import pytest
import torch

import netspec
from tests.flat import same
from tests.properties import graphs, oracle

NETS = 600
CHUNK = 300


def listed(value):
    return value if isinstance(value, list) else [value]


def rolled(graph, draw):
    """Return a net as text: pieces of a random one as blocks, each of them used two times."""
    graph.sources = []
    head = graph.text(graph.sizes()).split("layers:\n")[0]
    entries = graph.entries
    cuts = sorted(draw.sample(range(1, len(entries)), draw.randint(0, min(3, len(entries) - 1))))
    pieces = [entries[a:b] for a, b in zip([0, *cuts], [*cuts, len(entries)], strict=True)]
    blocks, uses = {}, []
    for index, piece in enumerate(pieces):
        made, inputs = [], []
        for entry in piece:
            inputs += [name for name in entry.get("bottom", []) if name not in made + inputs]
            made += [name for name in entry.get("top", []) if name not in made]
        if not inputs or not made:
            return ""
        later = [name for entry in entries[entries.index(piece[-1]) + 1 :]
                 for name in entry.get("bottom", [])]  # fmt: skip
        read = [name for entry in piece for name in entry.get("bottom", [])]
        outputs = [name for name in made if name in later or name not in read] or made[-1:]
        inner = [dict(entry, name=f"l{at}") for at, entry in enumerate(piece)]
        blocks[f"piece{index}"] = {"inputs": inputs, "outputs": outputs, "layers": inner}
        uses.append((f"piece{index}", inputs, outputs))
    within = draw.random() < 0.4  # a block of blocks
    layers = []
    for copy in ("one", "two"):
        names = {}
        for block, inputs, outputs in uses:
            entry = {"name": block if within else f"{copy}.{block}", "block": block}
            entry["bottom"] = [names.get(name, name) for name in inputs]
            names |= {name: name if within else f"{copy}_{name}" for name in outputs}
            entry["top"] = [names[name] for name in outputs]
            layers.append(entry)
        if within:
            break
    if within:
        feed = [blob.name for blob, _, _ in graph.inputs]
        last = uses[-1][2]
        blocks["whole"] = {"inputs": feed, "outputs": last, "layers": layers}
        top = [[f"{copy}_{name}" for name in last] for copy in ("one", "two")]
        layers = [{"name": f"whole{at}", "block": "whole", "bottom": feed, "top": names}
                  for at, names in enumerate(top)]  # fmt: skip
        if draw.random() < 0.3:
            layers[1]["share"] = layers[0]["share"] = "weights"
    return f"{head}blocks: {json.dumps(blocks)}\nlayers: {json.dumps(layers)}\n"


@pytest.mark.parametrize("first", range(0, NETS, CHUNK))
def test_random_blocks(first):
    torch.set_num_threads(1)
    checked = classes = shorter = 0
    for index in range(first, first + CHUNK):
        draw = random.Random(f"blocks {index}")
        graph = graphs.graph(draw, least=3, most=9)
        text = rolled(graph, draw)
        try:
            net = oracle.load(text, phase="train" if index % 5 == 0 else "test") if text else None
        except netspec.SpecError:
            continue  # such as a blob that two pieces change in place
        if net is None:
            continue
        generator = torch.Generator().manual_seed(index)
        kinds = {blob.name: (blob, kind, limit) for blob, kind, limit in graph.inputs}
        feed = [oracle.data(*kinds[name], generator) for name in net.inputs]
        try:
            ours, flat = same(net, feed, "all" if index % 7 == 0 else None)
        except netspec.SpecError:
            continue  # the backend builds no such layer
        except Exception as error:
            raise AssertionError(f"number {index}: {error!r}\n{text}") from error
        checked += 1
        classes += "Piece" in ours or "Whole" in ours
        shorter += len(ours) < len(flat)
    assert checked > CHUNK // 2
    assert classes > CHUNK // 5
    assert shorter > CHUNK // 10
