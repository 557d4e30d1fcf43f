"""One net written in many ways expands to one net."""

# ruff: noqa: E501 - specs stand on the lines they are shown with

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import netspec

ENTRIES = st.sampled_from([
    {"type": "ReLU"},
    {"type": "TanH"},
    {"type": "Convolution", "convolution_param": {"num_output": 4, "kernel_size": 3, "pad": 1}},
    {"type": "Convolution", "convolution_param": {"num_output": 2, "kernel_size": 1, "bias_term": False}},
    {"type": "Pooling", "pooling_param": {"pool": "AVE", "kernel_size": 3, "stride": 1, "pad": 1}},
    {"type": "BatchNorm", "batch_norm_param": {"scale_bias": True}},
    {"type": "Dropout", "dropout_param": {"dropout_ratio": 0.25}},
])  # fmt: skip


def chain(body: list[dict[str, Any]], times: int) -> list[dict[str, Any]]:
    """Return the flat entries of a body repeated, then two readers of one blob and their sum."""
    flat = [
        {"name": f"b.{i}.l{index}"} | entry
        for i in range(times)
        for index, entry in enumerate(body)
    ]
    return [*flat, *tail(flat[-1]["name"])]


def tail(last: str) -> list[dict[str, Any]]:
    return [
        {"name": "left", "type": "ReLU", "bottom": last},
        {"name": "right", "type": "Sigmoid", "bottom": last},
        {"name": "sum", "type": "Eltwise", "bottom": ["left", "right"]},
    ]


def held(value: Any, path: str, found: dict[str, Any], rng: random.Random) -> Any:
    """Return a value with some of its leaves moved into variables or written as expressions."""
    if isinstance(value, dict):
        return {key: held(item, f"{path}_{key}", found, rng) for key, item in value.items()}
    if isinstance(value, bool) or not isinstance(value, int | float) or rng.random() < 0.4:
        return value
    if isinstance(value, int) and rng.random() < 0.5:
        return rng.choice([f"${{{value + 3} - 3}}", f"${{{value} if 1 < 2 else 'no'}}"])
    found[path] = value
    return rng.choice([f"${path}", f"${{{path}}}"])


def spellings(body: list[dict[str, Any]], times: int, rng: random.Random) -> dict[str, str]:
    inputs = {"x": ["N", 4, 8, 8]}
    flat = {"inputs": inputs, "layers": chain(body, times)}
    inner = [{"name": f"l{index}"} | entry for index, entry in enumerate(body)]
    block = {"name": "b", "block": "body", "repeat": times}
    made = {"inputs": inputs, "layers": [block, *tail("b")], "blocks": {"body": {"layers": inner}}}
    nested = {
        "inputs": inputs,
        "blocks": {"body": {"layers": inner}},
        "layers": [
            *({"name": f"b.{i}", "block": "body", "when": True, "include": {"phase": "TEST"}}
              for i in range(times)),
            {"name": "skipped", "type": "ReLU", "when": "${1 > 2}"},
            *tail(f"b.{times - 1}"),
        ],
    }  # fmt: skip
    variables: dict[str, Any] = {}
    entries = [
        held(entry, f"v{index}", variables, rng) for index, entry in enumerate(flat["layers"])
    ]
    varied = {"vars": variables, "inputs": inputs, "layers": entries}
    explicit = [
        {"bottom": [before]} | entry | {"top": [entry["name"]]}
        for entry, before in zip(
            flat["layers"], ["x", *(e["name"] for e in flat["layers"])], strict=False
        )
    ]
    shuffled = [dict(sorted(entry.items(), key=lambda item: rng.random())) for entry in explicit]
    anchored = "inputs: {x: &s [N, 4, 8, 8]}\nlayers:\n" + "".join(
        f"- {json.dumps(entry)}  # {index}\n" for index, entry in enumerate(explicit)
    )
    anchors = {"x-shape": inputs["x"], "inputs": {"x": inputs["x"]}, "layers": flat["layers"]}
    return {
        "block style": yaml.dump(flat, default_flow_style=False),
        "flow style": yaml.dump(flat, default_flow_style=True, width=60),
        "json": json.dumps(flat, indent=1),
        "anchors": yaml.dump(anchors),  # the body's params are aliases of one another
        "blocks": yaml.dump(made),
        "uses": yaml.dump(nested, default_flow_style=True),
        "variables": yaml.dump(varied, default_style=None),
        "explicit": yaml.dump({"layers": explicit, "inputs": inputs}),
        "key order": yaml.dump({"layers": shuffled, "inputs": inputs}, sort_keys=False),
        "comments": anchored,
        "crlf": yaml.dump(flat).replace("\n", "\r\n"),
        "quoted": yaml.dump(
            {"layers": flat["layers"], "inputs": {"x": ["N", 4, 8, 8]}}, default_style=None
        ).replace("type: ReLU", 'type: "ReLU"'),
    }


def canonical(text: str, folder: Path) -> object:
    """Return all there is to a net but the names of its blobs."""
    (folder / "net.yaml").write_bytes(text.encode())
    net = netspec.load(str(folder / "net.yaml"))
    order = {id(node): index for index, node in enumerate(net.flat.nodes)}
    return [
        (
            node.type,
            sorted((name, repr(getattr(node.layer, name))) for name in node.layer.given),
            [(order[id(v.maker)] if v.maker else v.name) for v in node.bottoms],
            [(str(v.blob), v.blob.dtype) for v in node.tops],
            [(w.name, str(w.shape)) for w in node.weights],
            str(node.macs),
            node.name,
        )
        for node in net.flat.nodes
    ]


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(ENTRIES, min_size=1, max_size=4), st.integers(1, 3), st.integers(0, 10**6))
def test_spellings_of_one_net_are_one_net(body, times, seed):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {
            style: canonical(text, folder)
            for style, text in spellings(body, times, random.Random(seed)).items()
        }
    first = found["block style"]
    assert len(first) == len(body) * times + 3
    for style, other in found.items():
        assert other == first, style


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.lists(ENTRIES, min_size=1, max_size=5), st.integers(2, 9))
def test_the_batch_scales_the_batch_axis_alone_and_the_macs(body, batch):
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "net.yaml"
        path.write_text(yaml.dump({"inputs": {"x": ["N", 4, 8, 8]}, "layers": chain(body, 1)}))
        one = netspec.load(str(path), at={"N": 1})
        many = netspec.load(str(path), at={"N": batch})
    for before, after in zip(one.layers, many.layers, strict=True):
        assert after.macs == before.macs * batch
        for a, b in zip(before.tops, after.tops, strict=True):
            assert b.shape == (a.shape[0] * batch, *a.shape[1:])
    assert one.params.total == many.params.total
