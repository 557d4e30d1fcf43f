"""Specs written in tests: loaded, or refused; and what that costs, without a clock."""

from __future__ import annotations

import contextlib
import faulthandler
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import netspec
from netspec.diagnostics import Diagnostic
from netspec.net import Net

X = "inputs: {x: [N, 3, 8, 8]}\n"
MOST = 50_000_000  # lines and calls; a few seconds


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


@contextlib.contextmanager
def ends(seconds: int = 60) -> Iterator[None]:
    """Fail what hangs. This measures nothing: see `work`."""

    def fail(*_: object) -> None:
        raise AssertionError(f"it did not end within {seconds} seconds")

    kept = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    faulthandler.dump_traceback_later(2 * seconds, exit=True)  # what no exception can end
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, kept)


def work(run: Callable[[], object]) -> int:
    """Return how many lines and calls `run` takes, which no other load on the machine changes."""
    count = 0

    def trace(*_: object) -> Any:
        nonlocal count
        count += 1
        if count > MOST:
            raise AssertionError(f"it takes more than {MOST:,} lines and calls")
        return trace

    def profile(_: object, event: str, __: object) -> None:
        if event == "c_call":
            trace()

    kept = sys.gettrace(), sys.getprofile()
    with ends():
        sys.settrace(trace)
        sys.setprofile(profile)
        try:
            run()
        finally:
            sys.setprofile(kept[1])
            sys.settrace(kept[0])
    return count


def grows(run: Callable[[int], object], size: int) -> float:
    """Return how much more work `run` takes for twice the size: 2 where the work is linear."""
    small, large = work(lambda: run(size)), work(lambda: run(2 * size))
    return large / small
