"""Run commands turn by turn and compare the CPU time of their whole processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

PYTHON = sys.executable
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def cpu(command: list[str]) -> tuple[float, float]:
    """Return the CPU milliseconds and the peak MiB of one run."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT, env=environment())
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} failed")
    return (used.ru_utime + used.ru_stime) * 1000, used.ru_maxrss / 1024


def environment() -> dict[str, str]:
    """Return an environment that finds the checkout and keeps compiled modules."""
    found = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return found | {"PYTHONPATH": os.pathsep.join([ROOT, os.path.join(ROOT, "backends")])}


def compare(commands: dict[str, list[str]], rounds: int) -> None:
    """Print each command's median beside the first one's."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    peaks: dict[str, float] = {}
    for command in commands.values():
        cpu(command)  # warm the caches
    for _ in range(rounds):
        for name, command in commands.items():
            spent, peak = cpu(command)
            times[name].append(spent)
            peaks[name] = max(peaks.get(name, 0), peak)
    first = next(iter(times.values()))
    print(f"{'':<44}{'CPU ms':>9}{'ratio':>9}{'peak MiB':>10}")
    for name, spent in times.items():
        ratio = statistics.median(a / b for a, b in zip(spent, first, strict=True))
        print(f"{name:<44}{statistics.median(spent):>9.1f}{ratio:>9.2f}{peaks[name]:>10.1f}")
