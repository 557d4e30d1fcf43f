"""Every example runs, and reaches the figure it names."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def load(name: str):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_load_and_print(capsys):
    net = load("01_load_and_print").main()
    assert net.params.total == 25_557_032
    assert "25,557,032 params" in capsys.readouterr().out


def test_lenet_learns_the_digits():
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    assert load("02_train_lenet").main() >= 0.97
