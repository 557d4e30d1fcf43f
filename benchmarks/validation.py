"""Validating a layer, with few and with all layer types known: the cost must not grow."""

from __future__ import annotations

import sys
import time

from paired import ROOT

sys.path.insert(0, ROOT)

from scale import spec

from netspec import schema
from netspec.diagnostics import Report
from netspec.document import parse, read_text
from netspec.spec import validate


def cost(layers: int = 20_000) -> float:
    """Return CPU microseconds a layer of validation, the least of five runs."""
    report = Report()
    document = parse(read_text("long.yaml", spec(layers), report), report)
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        validate(document, report)
        best = min(best, time.process_time() - start)
    return best / layers * 1e6


def main() -> None:
    """Print the cost before and after every layer type is loaded."""
    few = cost()
    count = len(list(schema.found_types()))
    many = cost()
    print(f"types used only   {few:.2f} us a layer")
    print(f"all {count} types     {many:.2f} us a layer   ratio {many / few:.2f}")


if __name__ == "__main__":
    main()
