"""The facts of every layer type: shapes, weights, cost and refusals known from elsewhere."""

from __future__ import annotations

import os
import random
import re
from typing import Any

import pytest
import yaml

from netspec import codes
from netspec.dim import Dim
from netspec.expression import size
from netspec.plugins import fold
from netspec.schema import find_type, found_types
from netspec.spec import ENTRY_KEYS

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers")
KEYS = {  # of a fact; all else is part of the entry
    "about", "params", "bottoms", "dtypes", "tops", "top", "dtype", "weights", "state", "macs",
    "rejects", "when",
}  # fmt: skip
CODES = {code.id for code in vars(codes).values() if isinstance(code, type) and hasattr(code, "id")}


def read(stem: str) -> list[dict[str, Any]]:
    with open(os.path.join(HERE, f"{stem}.yaml"), encoding="utf-8") as file:
        facts: list[dict[str, Any]] = yaml.safe_load(file)
    return facts


STEMS = sorted(name[:-5] for name in os.listdir(HERE) if name.endswith(".yaml"))
CASES = [
    pytest.param(stem, fact, id=f"{stem}-{index}")
    for stem in STEMS
    for index, fact in enumerate(read(stem))
]


TYPES = list(found_types())
MESSAGES = {message for cls in TYPES for message in cls.messages}


def kind(stem: str) -> Any:
    """Return the layer type of a stem."""
    return next(cls for cls in TYPES if fold(cls.__name__) == fold(stem))


def spec(stem: str, fact: dict[str, Any]) -> dict[str, Any]:
    """Return the spec of a net that is the layer of a fact alone."""
    cls = kind(stem)
    dtypes = fact.get("dtypes", [])
    inputs: dict[str, Any] = {}
    for index, shape in enumerate(fact.get("bottoms", [])):
        dtype = dtypes[index] if index < len(dtypes) else "float32"
        inputs[f"x{index}"] = {"shape": shape, "dtype": dtype}
    entry: dict[str, Any] = {"name": "layer", "type": cls.__name__}
    entry |= {cls.message if key == "params" else key: fact[key] for key in fact.keys() - KEYS}
    if "params" in fact:
        entry[cls.message] = fact["params"]
    if inputs:
        entry["bottom"] = list(inputs)
    count = fact["tops"] if isinstance(fact.get("tops"), int) else len(wanted(fact))
    if "rejects" not in fact or "tops" in fact:
        entry["top"] = [f"y{index}" for index in range(count)]
    return {"name": "facts", "inputs": inputs, "layers": [entry]}


def wanted(fact: dict[str, Any]) -> list[list[Any]]:
    """Return the shapes of the tops a fact states."""
    if "top" in fact:
        return [fact["top"]]
    tops = fact.get("tops", [])
    return tops if isinstance(tops, list) else []


def load(path: Any, document: dict[str, Any], at: dict[str, int] | None = None) -> Any:
    import netspec

    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return netspec.load(str(path), at=at or {})


def exact(item: Any) -> Any:
    """Return a size of a fact: a number, or the text of a symbolic one."""
    return size(item) if isinstance(item, str) else item


def known(shapes: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: [exact(item) for item in shape] for name, shape in shapes.items()}


def found(tensors: Any) -> dict[str, list[Any]]:
    return {tensor.name: list(tensor.shape) for tensor in tensors}


@pytest.mark.parametrize(("stem", "fact"), CASES)
def test_fact(stem: str, fact: dict[str, Any], tmp_path: Any) -> None:
    import netspec

    document = spec(stem, fact)
    if "rejects" in fact:
        with pytest.raises(netspec.SpecError) as refused:
            load(tmp_path / "net.yaml", document)
        found_codes = [each.code.id for each in refused.value.diagnostics]
        assert fact["rejects"] in found_codes, refused.value
        assert all(each.span is not None for each in refused.value.diagnostics)
        return
    net = load(tmp_path / "net.yaml", document)
    (layer,) = net.layers
    assert [list(top.shape) for top in layer.tops] == [
        [exact(item) for item in shape] for shape in wanted(fact)
    ]
    if "dtype" in fact:
        assert layer.tops[0].dtype == fact["dtype"]
    if "weights" in fact:
        assert found(layer.weights) == known(fact["weights"])
    if "state" in fact:
        assert found(layer.state) == known(fact["state"])
    if "macs" in fact:
        assert layer.macs == exact(fact["macs"])
    assert [str(condition.text) for condition in net.conditions if "when" not in fact] == []
    if "when" in fact:
        assert any(fact["when"] in condition.text for condition in net.conditions)


SYMBOLIC = [
    case
    for case in CASES
    if "rejects" not in case.values[1]
    and re.search(r"'[A-Z]\w*'", str(case.values[1].get("bottoms")))
]


@pytest.mark.parametrize(("stem", "fact"), SYMBOLIC)
def test_symbols_stand_for_every_size(stem: str, fact: dict[str, Any], tmp_path: Any) -> None:
    import netspec

    document = spec(stem, fact)
    net = load(tmp_path / "net.yaml", document)
    names = sorted({name for blob in net.inputs.values() for item in blob.shape
                    if isinstance(item, Dim) for name in item.symbols})  # fmt: skip
    draw = random.Random(f"{stem} {fact}")
    tried = 0
    for _ in range(40):
        sizes = {name: draw.choice((1, 2, 3, 5, 8, 13, 32, 63, 64, 97)) for name in names}
        expected = [[at(item, sizes) for item in top.shape] for top in net.layers[0].tops]
        fits = all(at(fit, sizes) >= 1 for fit in net.fits)
        fits = fits and all(holds(condition, sizes) for condition in net.conditions)
        try:
            bound = load(tmp_path / "net.yaml", document, sizes)
        except netspec.SpecError as refused:
            assert not fits, refused
            continue
        assert fits, f"{sizes} was not refused"
        tried += 1
        if tried > 6:
            break
        (layer,) = bound.layers
        assert [list(top.shape) for top in layer.tops] == expected
        for ours, theirs in zip(net.layers[0].weights, layer.weights, strict=True):
            assert tuple(at(item, sizes) for item in ours.shape) == theirs.shape
        assert at(net.layers[0].macs, sizes) == layer.macs
    assert tried


def at(item: Any, sizes: dict[str, int]) -> Any:
    return item.at(sizes) if isinstance(item, Dim) else item


def holds(condition: Any, sizes: dict[str, int]) -> bool:
    return bool(at(condition.size, sizes) == at(condition.other, sizes))


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
def test_every_type_has_facts(cls: Any) -> None:
    stem = cls.__module__.rpartition(".")[2]
    assert stem in STEMS, f"tests/layers/{stem}.yaml is missing"
    accepted = [fact for fact in read(stem) if "rejects" not in fact]
    assert accepted, "facts must show what the type makes"


@pytest.mark.parametrize("stem", STEMS)
def test_facts_file_is_well_formed(stem: str) -> None:
    facts = read(stem)
    cls = kind(stem)
    assert isinstance(facts, list)
    for fact in facts:
        unknown = fact.keys() - KEYS - cls.messages.keys() - ENTRY_KEYS - MESSAGES
        assert not unknown, f"{stem}: {unknown}"
        assert sum(key in fact for key in ("top", "rejects")) + isinstance(
            fact.get("tops"), list
        ) == 1, f"{stem}: one of top, tops and rejects: {fact}"  # fmt: skip
        assert isinstance(fact.get("bottoms", []), list)
        assert all(isinstance(shape, list) for shape in fact.get("bottoms", []))
        assert fact.get("rejects", "E100") in CODES


def test_a_type_is_found_by_its_name() -> None:
    assert all(find_type(cls.__name__) is cls for cls in TYPES)
