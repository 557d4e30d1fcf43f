"""Shipped specs with their widths divided: the same nets, small enough to run in a test."""

from __future__ import annotations

import json
from pathlib import Path

from netspec.diagnostics import Report
from netspec.document import parse, read
from netspec.zoo import find

WIDE = ("num_output", "out", "filters", "channels")  # what holds a width in the specs used here


def narrow(folder: Path, name: str, factor: int) -> str:
    """Write a shipped spec with all widths from 64 on divided; return the path."""
    report = Report()
    spec = parse(read(find(f"zoo:{name}", report)[0], report), report).value
    path = folder / f"{name}.json"
    path.write_text(json.dumps(thin(spec, factor)), encoding="utf-8")
    return str(path)


def thin(value, factor):
    """Return a value of a spec with its widths divided, and without expectations."""
    if isinstance(value, list):
        return [thin(item, factor) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: item // factor if key in WIDE and isinstance(item, int) and item >= 64
        else thin(item, factor)
        for key, item in value.items() if key != "expect"
    }  # fmt: skip
