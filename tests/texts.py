"""Specs written in tests: loaded, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import netspec
from netspec.diagnostics import Diagnostic
from netspec.net import Net

X = "inputs: {x: [N, 3, 8, 8]}\n"


def load(folder: Path, text: str, files: dict[str, str] | None = None, **options: Any) -> Net:
    """Return the net of a spec, with the files it imports beside it."""
    for name, content in ({"net.yaml": text} | (files or {})).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return netspec.load(str(folder / "net.yaml"), **options)


def refused(
    folder: Path, text: str, files: dict[str, str] | None = None, **options: Any
) -> list[Diagnostic]:
    """Return the diagnostics of a spec that is wrong."""
    with pytest.raises(netspec.SpecError) as caught:
        load(folder, text, files, **options)
    return list(caught.value.diagnostics)


def refusal(
    folder: Path, text: str, files: dict[str, str] | None = None, **options: Any
) -> Diagnostic:
    """Return the only diagnostic of a spec that is wrong."""
    (found,) = refused(folder, text, files, **options)
    return found


def wires(net: Net) -> dict[str, list[str]]:
    """Return what every layer reads."""
    return {layer.name: layer.bottoms for layer in net.layers}


def shapes(net: Net) -> dict[str, str]:
    """Return the shape of the first top of every layer."""
    return {layer.name: str(layer.node.tops[0].blob) for layer in net.layers if layer.tops}
