"""render: DOT text to SVG, PNG or PDF by Graphviz, in a process of its own with a time limit."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from netspec import codes
from netspec.diagnostics import Report, crop

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMATS = ("svg", "png", "pdf")
LIMIT = 20.0  # seconds
MEMORY = 4 << 30
DPI = "144"  # of PNG; Graphviz scales down what would be too large
ABSENT = 3  # exit status of the child below where there is no usable pygraphviz

# Wheels from 2.0.2 hold Graphviz itself; older ones call a `dot` that is not there.
PYGRAPHVIZ = f"""
import sys
try:
    import pygraphviz
    known = tuple(int(part) for part in pygraphviz.__version__.split(".")[:3])
except (ImportError, ValueError):
    sys.exit({ABSENT})
if known < (2, 0, 2):
    sys.exit({ABSENT})
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode("utf-8"))
if sys.argv[1] == "png":
    graph.graph_attr["dpi"] = "{DPI}"
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
"""


def render(dot_text: str, format: str, limit: float = LIMIT) -> bytes:
    """Return a drawing of DOT text as svg, png or pdf.

    `dot` on PATH does it, or else the pygraphviz wheel. Raises SpecError E503 where neither is
    there, and E504 where they fail or take longer than `limit` seconds.
    """
    if format not in FORMATS:
        raise ValueError(f"format is {format!r}, not one of {', '.join(FORMATS)}")
    reason = ""
    for name, command in _renderers(format):
        status, data, errors = _run(command, dot_text.encode(), limit)
        if status == 0 and data:
            return data
        if status != ABSENT or name == "dot":
            said = errors.decode(errors="replace").strip().splitlines()
            reason = reason or f"{name}: {crop(said[-1], 300) if said else f'status {status}'}"
    if not reason:
        Report().fatal(codes.NoRenderer, None, format=format)
    Report().fatal(codes.DrawingFailed, None, reason=reason)


def find_dot() -> str | None:
    """Return the absolute path of Graphviz's `dot`; one in the current directory is not trusted."""
    here = os.path.realpath(os.curdir)
    name = "dot.exe" if sys.platform == "win32" else "dot"
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        path = os.path.join(folder, name)
        if not os.path.isabs(folder) or os.path.realpath(folder) == here:
            continue
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def _renderers(format: str) -> Iterator[tuple[str, list[str]]]:
    if dot := find_dot():
        yield "dot", [dot, f"-T{format}", *([f"-Gdpi={DPI}"] if format == "png" else [])]
    if sys.executable:
        yield "pygraphviz", [sys.executable, "-I", "-c", PYGRAPHVIZ, format]


def _run(command: list[str], text: bytes, limit: float) -> tuple[int, bytes, bytes]:
    """Return the exit status, output and errors of a child; its whole group dies with us."""
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=os.sep,
            env={**os.environ, "LC_ALL": "C"},
            start_new_session=True,
        )
    except OSError as error:
        return 1, b"", str(error).encode()
    try:
        _bound(child.pid, limit)
        data, errors = child.communicate(text, timeout=limit)
    except subprocess.TimeoutExpired:
        _kill(child)
        Report().fatal(
            codes.DrawingFailed,
            None,
            reason=f"it took longer than {limit:g} seconds",
            hint="fold blocks with --depth, or write .dot and lay it out yourself",
        )
    except BaseException:
        _kill(child)
        raise
    return child.returncode, data, errors


def _bound(pid: int, limit: float) -> None:
    """Bound the memory and CPU time of a child, where the system can."""
    if sys.platform == "linux":
        import resource

        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.prlimit(pid, resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 2))
            resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))


def _kill(child: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        child.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe:
            with contextlib.suppress(OSError):  # stdin may still hold text nobody reads
                pipe.close()
    child.wait()
