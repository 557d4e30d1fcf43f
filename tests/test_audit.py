"""What a spec can make the interpreter do: audit events (PEP 578) while it is read and drawn."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
HOSTILE = ROOT / "tests" / "bad_inputs"
SHIPPED = ROOT / "specs"

# The child runs the commands with a hook that notes every event; `armed` ends the loading of
# what a first run loads lazily, so that an import after it is the doing of a spec.
CHILD = """
import json, os, sys
folder, root, *paths = json.load(sys.stdin)
from netspec import cli
import argparse, difflib, yaml, jsonschema, networkx, netspec_graphviz
from netspec.schema import found_types
list(found_types())
events, texts = [], []
NEVER = ("exec", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn",
         "subprocess.Popen", "socket.", "urllib.Request", "pickle.", "ctypes.", "shutil.",
         "os.remove",
         "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.truncate",
         "webbrowser.", "ftplib.", "http.", "smtplib.", "code.__new__", "sys.settrace", "ensurepip")
FROM = (sys.prefix, sys.base_prefix, root)
state = {"armed": False, "busy": False}

def hook(event, args):
    if not state["armed"] or state["busy"]:
        return
    state["busy"] = True
    try:
        if event.startswith(NEVER):
            code = getattr(args[0], "co_filename", "") if args else ""
            if event == "exec" and code.startswith(FROM):
                return  # a module of an installed library that is loaded
            events.append([event, repr(args)[:200]])
        elif event == "compile":
            source, name = args
            if source is None or not str(name).startswith(FROM):
                known = "<frozen" in str(name) or "networkx" in str(name)
                if not known:
                    events.append([event, repr(args)[:200]])
        elif event == "import":
            texts.append(args[0])
        elif event == "open":
            path, mode, flags = args
            if isinstance(path, int):
                return
            real = os.path.realpath(os.fsdecode(path))
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
            if real == os.path.realpath(os.devnull):
                return
            if writes and not real.endswith(".pyc") and "__pycache__" not in real:
                events.append(["write", real])
            elif not real.startswith((*FROM, folder, "/usr/share/zoneinfo", "/etc/mime")):
                events.append(["read", real])
    finally:
        state["busy"] = False

sys.addaudithook(hook)
said = open(os.devnull, "w")
sys.stdout = sys.stderr = said
runs = []
for path in paths:
    for argv in (["check", path], ["check", path, "--format", "sarif"], ["draw", path]):
        state["armed"] = True
        code = cli.main(argv)
        state["armed"] = False
        runs.append([argv[0], path, code])
json.dump([runs, events, sorted(set(texts))], sys.__stdout__)
"""


def audit(paths: list[str], folder: Path, cwd: Path) -> tuple[list[Any], list[Any], list[str]]:
    path = os.pathsep.join((str(ROOT), str(ROOT / "backends")))
    done = subprocess.run(
        [sys.executable, "-P", "-c", CHILD], cwd=cwd, text=True, capture_output=True, timeout=600,
        input=json.dumps([str(folder.resolve()), str(ROOT), *paths]),
        env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    runs, events, imports = json.loads(done.stdout)
    return runs, events, imports


def test_hostile_specs_run_import_and_write_nothing(tmp_path: Path) -> None:
    paths = sorted(path.name for path in HOSTILE.iterdir() if path.name != "expected.txt")
    runs, events, imports = audit(paths, HOSTILE, HOSTILE)
    assert len(runs) == 3 * len(paths) > 500
    assert {code for _, _, code in runs} == {0, 1}
    assert events == []
    named = (
        "os.system mypkg evil _target_ a'); Evil ReLUU RELU9 conv pickle ctypes socket subprocess"
    )
    assert not set(imports) & set(named.split())


def test_shipped_specs_run_import_and_write_nothing() -> None:
    files = sorted(SHIPPED.glob("*.yaml"), key=lambda path: path.stat().st_size)[:25]
    runs, events, imports = audit([str(path) for path in files], SHIPPED, ROOT)
    assert {code for _, _, code in runs} == {0, 1} or {code for _, _, code in runs} == {0}
    assert events == []
    assert "torch" not in imports and "socket" not in imports


def test_a_spec_that_imports_outside_opens_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("layers: []\n")
    inner = tmp_path / "in"
    inner.mkdir()
    (inner / "link.yaml").symlink_to("../secret.yaml")
    head = "inputs: {data: [1, 3]}\nlayers:\n  - {name: a, block: n}\n"
    for number, path in enumerate(
        ("../secret.yaml", "link.yaml", "/etc/passwd", "x/../../secret.yaml")
    ):
        (inner / f"{number}.yaml").write_text(f"imports: {{n: {path}}}\n{head}")
    runs, events, _ = audit([f"{n}.yaml" for n in range(4)], inner, inner)
    assert {code for _, _, code in runs} == {1}
    assert events == []


def test_the_hook_sees_what_it_must(tmp_path: Path) -> None:
    """Run the same child with a check that misbehaves: the harness must notice."""
    misbehaving = CHILD.replace(
        "from netspec import cli\n",
        "from netspec import cli\nfrom netspec.commands import check\nreal = check.check\n"
        "def check_(path, asked):\n"
        "    exec(compile('1 + 1', path, 'exec'))\n    open('/etc/hostname').close()\n"
        "    import socket\n    socket.socket().close()\n    open('out', 'w').close()\n"
        "    os.system('true')\n    return real(path, asked)\n"
        "check.check = check_\n",
    )
    (tmp_path / "net.yaml").write_text("inputs: {data: [1, 3]}\nlayers: []\n")
    done = subprocess.run(
        [sys.executable, "-P", "-c", misbehaving], cwd=tmp_path, text=True, capture_output=True,
        input=json.dumps([str(tmp_path), str(ROOT), "net.yaml"]), timeout=120,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "backends")))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = {event for event, _ in json.loads(done.stdout)[1]}
    assert {"exec", "compile", "read", "write", "os.system", "socket.__new__"} <= seen


# what the source may not hold

BANNED_CALLS = {"eval", "exec", "compile", "__import__", "execfile", "breakpoint", "input"}
BANNED_MODULES = {
    "pickle",
    "marshal",
    "shelve",
    "ast",
    "subprocess",
    "socket",
    "urllib.request",
    "ctypes",
}
ALLOWED = {  # the one exec is of text the emitter wrote; the one child is Graphviz
    ("backends/netspec_torch/eager.py", "exec"),
    ("backends/netspec_torch/eager.py", "compile"),
    ("backends/netspec_graphviz/render.py", "subprocess"),
}


def sources() -> list[Path]:
    return sorted([*(ROOT / "netspec").rglob("*.py"), *(ROOT / "backends").rglob("*.py")])


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_source_runs_no_text(path: Path) -> None:
    name = str(path.relative_to(ROOT)).replace(os.sep, "/")
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in BANNED_CALLS:
                found.add(node.func.id)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & BANNED_MODULES
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {node.module} & BANNED_MODULES
        elif isinstance(node, ast.Attribute) and node.attr in {
            "unsafe_load",
            "full_load",
            "system",
            "popen",
        }:
            found.add(node.attr)
        elif isinstance(node, ast.keyword) and node.arg == "shell":
            found.add("shell")
    assert {each for each in found if (name, each) not in ALLOWED} == set()
