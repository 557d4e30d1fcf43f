"""A small sample of what tests/fuzz.py does by the hundred thousand."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

COUNTS = {"yaml": 600, "expr": 4_000, "prototxt": 700, "cfg": 500, "caffemodel": 1_500}


@pytest.fixture(scope="module")
def fuzz() -> Any:
    place = Path(__file__).with_name("fuzz.py")
    found = importlib.util.spec_from_file_location("fuzz", place)
    assert found and found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    module.SECONDS = float("inf")  # a suite measures no time; `python tests/fuzz.py` does
    return module


@pytest.mark.parametrize("door", COUNTS)
def test_every_input_is_taken_or_refused(fuzz: Any, door: str) -> None:
    ends = fuzz.run(door, COUNTS[door], seed=7)
    assert {ended: times for ended, times in ends.items() if ended[0] == "!"} == {}
    assert sum(ends.values()) == COUNTS[door]
    assert 0 < ends["taken"] < COUNTS[door]


def test_a_fault_is_noticed(fuzz: Any, monkeypatch: Any) -> None:
    def wrong(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(fuzz, "load", wrong)
    ends = fuzz.run("yaml", 3, seed=7)
    assert sum(ends.values()) == 3
    assert all(ended.startswith("!KeyError") for ended in ends)
