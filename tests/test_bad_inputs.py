"""Bad inputs through the command line: the right code and place, and nothing else happens.

The numbers in the names of `bad_inputs/` group inputs of one kind; `expected.txt` has a line a
file: its name, the exit status, and every diagnostic as CODE@LINE:COLUMN.
"""

# ruff: noqa: E501 - specs stand as they are written

from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
HERE = ROOT / "tests" / "bad_inputs"
MEMORY = 1 << 30  # of address space
SECONDS = 60  # of CPU time: past it the system ends a process; most take 0.1 to 0.3
SAID = 256 * 1024  # bytes of output

EXPECTED = [line.split() for line in (HERE / "expected.txt").read_text().splitlines()]
HEAD = "inputs: {data: [1, 3, 8, 8]}\nlayers:\n"
LAYER = "  - {name: a, type: ReLU}\n"

# One process that has netspec loaded makes a child of its own for every command.
DRIVER = f"""
import difflib, json, os, resource, sys
import jsonschema, referencing
import netspec_graphviz
from netspec.cli import main
from netspec.schema import found_types
list(found_types())
os.chdir(sys.argv[1])
for number, argv in enumerate(json.load(sys.stdin)):
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
        resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, {SECONDS}))
        for stream, name in ((1, "out"), (2, "err")):
            handle = os.open(os.path.join(sys.argv[2], f"{{number}}.{{name}}"), os.O_CREAT | os.O_WRONLY)
            os.dup2(handle, stream)
        os._exit(main(argv))
    _, status, used = os.wait4(child, 0)
    print(json.dumps([os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime,
                      used.ru_maxrss * 1024]))
"""


class Ended:
    """How one command ended."""

    def __init__(self, status: int, seconds: float, memory: int, out: bytes, err: bytes) -> None:
        self.status = status
        self.seconds = seconds
        self.memory = memory
        self.out = out
        self.err = err

    def codes(self) -> list[str]:
        """Return the diagnostics as they are written in expected.txt."""
        found = []
        for each in json.loads(self.out)["diagnostics"]:
            start = each["range"] and each["range"]["start"]
            place = f"@{start['line'] + 1}:{start['character'] + 1}" if start else ""
            found.append(each["code"] + place)
        return found

    def judge(self, statuses: tuple[int, ...] = (0, 1)) -> None:
        """Assert what holds for every input."""
        said = self.out + self.err
        assert self.status in statuses, said[-2000:]
        assert b"Traceback" not in said
        assert b"internal error" not in said
        assert b"\x1b" not in said
        assert len(said) <= SAID


def environment(**more: str) -> dict[str, str]:
    path = os.pathsep.join((str(ROOT), str(ROOT / "backends")))
    plain = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "NETSPEC_DEBUG")}
    return plain | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"} | more


def drive(commands: list[list[str]], cwd: Path, folder: Path) -> list[Ended]:
    """Run commands, each in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", DRIVER, str(cwd), str(folder)],
        input=json.dumps(commands), capture_output=True, text=True, env=environment(), timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    read = [((folder / f"{n}.out").read_bytes(), (folder / f"{n}.err").read_bytes())
            for n in range(len(rows))]  # fmt: skip
    return [Ended(*row, *texts) for row, texts in zip(rows, read, strict=True)]


def shell(*argv: str, cwd: Path, memory: int = MEMORY, env: dict[str, str] | None = None) -> Ended:
    """Run one command from a cold start, as a user does."""
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "netspec", *argv], cwd=cwd, capture_output=True, timeout=120,
        env=environment(**(env or {})), stdin=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory)),
    )  # fmt: skip
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime
    return Ended(done.returncode, seconds, 0, done.stdout, done.stderr)


def contents(folder: Path) -> dict[str, Any]:
    """Return what is in a folder, and how each file is."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        there = path.lstat()
        digest = ""
        if stat.S_ISREG(there.st_mode) and there.st_size < 1 << 24:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path)] = (there.st_mode, there.st_size, there.st_mtime_ns, digest)
    return found


@pytest.fixture(scope="module")
def checked(tmp_path_factory: Any) -> Any:
    """Return how check ended for every file, and how draw did."""
    before = contents(HERE)
    folder = tmp_path_factory.mktemp("said")
    commands = [["check", row[0], "--format", "json"] for row in EXPECTED]
    commands += [["draw", row[0]] for row in EXPECTED]
    ended = drive(commands, HERE, folder)
    assert contents(HERE) == before
    return {(argv[0], argv[1]): how for argv, how in zip(commands, ended, strict=True)}


def test_every_file_has_its_line() -> None:
    files = sorted(path.name for path in HERE.iterdir() if path.name != "expected.txt")
    assert files == sorted(row[0] for row in EXPECTED)


@pytest.mark.parametrize("row", EXPECTED, ids=lambda row: row[0])
def test_check_says_what_and_where(row: list[str], checked: Any) -> None:
    name, status, *codes = row
    found = checked["check", name]
    found.judge((int(status),))
    assert found.codes() == codes


@pytest.mark.parametrize("row", EXPECTED, ids=lambda row: row[0])
def test_draw_says_the_same(row: list[str], checked: Any) -> None:
    name, status, *codes = row
    found = checked["draw", name]
    found.judge((int(status),))
    assert bool(found.out) == (status == "0")
    assert all(code.partition("@")[0].encode() in found.err for code in codes[:100])


# what is too large to be kept as a file


def doubling(levels: int) -> str:
    rows = [f"  b{i}: {{inputs: [x], layers: [{{name: p, block: b{i - 1}, bottom: x}}, "
            f"{{name: q, block: b{i - 1}}}]}}\n" for i in range(1, levels + 1)]  # fmt: skip
    return (
        "inputs: {data: [1, 3, 8, 8]}\nblocks:\n"
        "  b0: {inputs: [x], layers: [{name: r, type: ReLU, bottom: x}]}\n"
        + "".join(rows) + f"layers:\n  - {{name: a, block: b{levels}}}\n"
    )  # fmt: skip


def deep_names() -> str:
    name = "n" * 128
    rows = [f"  b{i}: {{inputs: [x], layers: [{{name: {name}, block: b{i - 1}, bottom: x}}]}}\n"
            for i in range(1, 20)]  # fmt: skip
    return (
        "inputs: {data: [1, 3, 8, 8]}\nblocks:\n"
        "  b0: {inputs: [x], layers: [{name: r, type: ReLU, bottom: x}]}\n"
        + "".join(rows) + "layers:\n  - {name: a, block: b19, repeat: 1000}\n"
    )  # fmt: skip


def guesses() -> str:
    """Return a spec whose size is as dear to guess as it can be made."""
    rows = "".join(
        f"      - {{name: r{i}, type: ReLU, when: '${{max(l) > k + {i}}}'}}\n" for i in range(300)
    )
    uses = "".join(f"  - {{name: u{i}, block: b, with: {{k: {i}}}}}\n" for i in range(300))
    return (
        f"vars: {{l: [{', '.join(['1'] * 3000)}]}}\ninputs: {{data: [1, 3, 8, 8]}}\nblocks:\n  b:\n"
        f"    vars: {{k: 1}}\n    inputs: [x]\n    layers:\n      - {{name: z, type: ReLU, bottom: x}}\n"
        f"{rows}layers:\n{uses}"
    )


LARGE = {
    "014-lists": ("[" * 40_000, "E110"),
    "014-items": ("- " * 40_000, "E110"),
    "014-mappings": ("{a: " * 40_000, "E110"),
    "014-lists-closed": ("x: " + "[" * 40_000 + "]" * 40_000, "E110"),
    "015-lists": ("[" * 500_000, "E110"),
    "026-million-digits": (HEAD + f"  - {{name: a, type: ReLU, loss_weight: {'9' * 1_000_000}}}\n", "E114"),
    "029-colliding-keys": ("".join(f"{k * (2**61 - 1)}: 1\n" for k in range(30_000)), "E106"),
    "030-tags": ("".join(f"%TAG !t{n}! tag:{n}\n" for n in range(32_000)) + "---\na: 1\n", "E104"),
    "033-long-line": (HEAD + LAYER + "# " + "x" * 1_000_000 + "\n", ""),
    "033-blank-lines": (HEAD + "\n" * 200_000 + LAYER, ""),
    "033-long-text": (f'notes: "{"x" * 1_000_000}"\n' + HEAD + LAYER, ""),
    "037-long-name": (HEAD + f"  - {{name: {'a' * 100_000}!, type: ReLU}}\n", "E209"),
    "037-long-key": (HEAD + f"  - {{name: a, type: ReLU, ? {'a' * 100_000} : 1}}\n", "E201"),
    "039-huge-value": (HEAD + f"  - {{name: a, type: ReLU, relu_param: '{'y' * 1_000_000}'}}\n", "E203"),
    "040-5000-errors": (HEAD + "".join(f"  - {{name: a{n}, type: RELUU}}\n" for n in range(5_000)), "E206"),
    "040-5000-bottoms": (HEAD + "".join(f"  - {{name: a{n}, type: ReLU, bottom: no}}\n" for n in range(5_000)), "E320"),
    "042-4000-mappings": (HEAD + "  - {name: a, type: ReLU, param: [" + "{}, " * 4_000 + "]}\n", "E329"),
    "044-long-ring": (HEAD + "".join(f"  - {{name: a{n}, type: ReLU, bottom: a{(n + 1) % 3_000}}}\n" for n in range(3_000)), "E320"),
    "049-500-bottoms": (HEAD + f"  - {{name: a, type: Concat, bottom: [{', '.join(['data'] * 500)}]}}\n", ""),
    "049-diamonds": (HEAD + "".join(f"  - {{name: a{n}, type: ReLU, bottom: {f's{n - 1}' if n else 'data'}}}\n  - {{name: s{n}, type: Eltwise, bottom: [a{n}, a{n}]}}\n" for n in range(200)), ""),
    "069-doubled-blocks": (doubling(30), "E312"),
    "070-deep-names": (deep_names(), "E209"),
    "070-dear-guesses": (guesses(), "E302"),
    "074-chain": ("vars:\n  v0: 1\n" + "".join(f"  v{n}: $v{n - 1}\n" for n in range(1, 10_000)) + HEAD + LAYER, ""),
    "097-many-expressions": ("vars:\n" + "".join(f"  v{n}: ${{1 +}}\n" for n in range(3_000)) + HEAD + LAYER, "E300"),
    "006-control-characters": (HEAD + "# " + "\x07" * 50_000, "E102"),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_large(name: str, tmp_path: Path) -> None:
    text, code = LARGE[name]
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    before = contents(tmp_path)
    found = shell("check", "spec.yaml", cwd=tmp_path)
    found.judge((1 if code else 0,))
    assert f"[{code}]".encode() in found.out if code else b"error" not in found.out
    assert contents(tmp_path) == before


def test_a_file_larger_than_the_limit_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "spec.yaml", "wb") as handle:
        handle.truncate(10 << 30)
    found = shell("check", "spec.yaml", cwd=tmp_path)
    found.judge((1,))
    assert b"error[E103]" in found.out


def test_the_messages_of_one_run_are_bounded_in_every_format(tmp_path: Path) -> None:
    rows = "".join(f"  - {{name: a{n}, type: {'T' * 500}}}\n" for n in range(2_000))
    (tmp_path / "spec.yaml").write_text(HEAD + rows)
    for form in ("human", "github"):
        found = shell("check", "spec.yaml", "--format", form, cwd=tmp_path)
        assert found.status == 1
        assert len(found.out) < 2 << 20, form


# the bytes of one file while another writes it


def test_a_file_that_is_swapped_is_read_whole(tmp_path: Path) -> None:
    first, second = HEAD + LAYER, HEAD + LAYER + "  - {name: b, type: ReLU}\n" * 1
    path, spare = tmp_path / "spec.yaml", tmp_path / "spare"
    path.write_text(first)
    script = (
        "import os, sys, time\n"
        "texts = sys.argv[3:]\nfor n in range(100000):\n"
        "    open(sys.argv[2], 'w').write(texts[n % 2])\n    os.replace(sys.argv[2], sys.argv[1])\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", script, str(path), str(spare), first, second])
    try:
        for _ in range(5):
            found = shell("check", "spec.yaml", "--format", "json", cwd=tmp_path)
            found.judge((0,))
            layers = json.loads(found.out)["specs"][0]["variants"][0]["layers"]
            assert [each["name"] for each in layers] in (["a"], ["a", "b"])
    finally:
        writer.kill()
        writer.wait()


# paths


def spec(path: Path, imported: str = "") -> Path:
    """Write a spec, one that imports another where that is named."""
    text = HEAD + LAYER
    if imported:
        text = (
            f"imports: {{n: '{imported}'}}\ninputs: {{data: [1, 3, 8, 8]}}\n"
            "layers:\n  - {name: a, block: n}\n"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refused(found: Ended, code: str, *words: str) -> None:
    found.judge((1,))
    text = found.out.decode()
    assert f"error[{code}]" in text
    for word in words:
        assert word in text


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a folder `root` beside `root2` and a secret outside of both."""
    (tmp_path / "secret.yaml").write_text("SECRET: [1, 2\n")
    spec(tmp_path / "root2" / "net.yaml")
    spec(tmp_path / "root" / "sub" / "net.yaml")
    return tmp_path / "root"


def test_imports_inside_the_root_are_read(tree: Path) -> None:
    spec(tree / "top.yaml", "sub/net.yaml")
    spec(tree / "sub" / "up.yaml", "../top.yaml")
    spec(tree / "twice.yaml", "sub/up.yaml")
    for name in ("top.yaml", "twice.yaml"):
        shell("check", name, cwd=tree).judge((0,))


@pytest.mark.parametrize(
    "path", ["../root2/net.yaml", "../secret.yaml", "sub/../../root2/net.yaml"]
)
def test_imports_leave_no_root(tree: Path, path: str) -> None:
    spec(tree / "top.yaml", path)
    found = shell("check", "top.yaml", cwd=tree)
    refused(found, "E316", "leaves the folder")
    assert b"SECRET" not in found.out


def test_an_import_of_an_import_stays_in_the_root_of_the_first(tree: Path) -> None:
    spec(tree / "top.yaml", "sub/middle.yaml")
    spec(tree / "sub" / "middle.yaml", "../../root2/net.yaml")
    refused(shell("check", "top.yaml", cwd=tree), "E316", "leaves the folder")
    # the folder of the spec that is checked is the root: the middle one alone reaches less
    spec(tree / "sub" / "middle.yaml", "../other.yaml")
    spec(tree / "other.yaml")
    shell("check", "top.yaml", cwd=tree).judge((0,))
    refused(shell("check", "sub/middle.yaml", cwd=tree), "E316", "leaves the folder")


@pytest.mark.parametrize("kind", ["file", "folder", "chain"])
def test_links_out_of_the_root_are_not_followed(tree: Path, kind: str) -> None:
    spec(tree / "top.yaml", "link/net.yaml" if kind == "folder" else "link.yaml")
    if kind == "file":
        (tree / "link.yaml").symlink_to("../secret.yaml")
    elif kind == "folder":
        (tree / "link").symlink_to("../root2")
    else:
        (tree / "inner.yaml").symlink_to("../root2/net.yaml")
        (tree / "link.yaml").symlink_to("inner.yaml")
    found = shell("check", "top.yaml", cwd=tree)
    refused(found, "E316")
    assert b"SECRET" not in found.out


def test_a_link_inside_the_root_is_followed(tree: Path) -> None:
    (tree / "link.yaml").symlink_to("sub/net.yaml")
    spec(tree / "top.yaml", "link.yaml")
    shell("check", "top.yaml", cwd=tree).judge((0,))


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "socket", "unreadable", "absent"])
def test_what_is_no_file_is_refused_at_once(tree: Path, kind: str) -> None:
    target = tree / "odd.yaml"
    if kind == "pipe":
        os.mkfifo(target)
    elif kind == "folder":
        target.mkdir()
    elif kind == "device":
        target = Path("/dev/zero")
    elif kind == "socket":
        import socket

        here = os.getcwd()
        os.chdir(tree)
        try:
            with socket.socket(socket.AF_UNIX) as open_:
                open_.bind("odd.yaml")
        finally:
            os.chdir(here)
    elif kind == "unreadable":
        spec(target).chmod(0)
        if os.access(target, os.R_OK):
            pytest.skip("this user may read everything")
    refused(shell("check", str(target), cwd=tree), "E100")
    if kind != "device":
        spec(tree / "top.yaml", "odd.yaml")
        refused(shell("check", "top.yaml", cwd=tree), "E316")


def test_loops_of_imports(tree: Path) -> None:
    spec(tree / "a.yaml", "b.yaml")
    spec(tree / "b.yaml", "./sub/../c.yaml")
    spec(tree / "c.yaml", "a.yaml")
    found = shell("check", "a.yaml", cwd=tree)
    refused(found, "E316", "imports itself")
    (tree / "d.yaml").symlink_to("e.yaml")
    spec(tree / "e.yaml", "d.yaml")  # itself, by another name
    refused(shell("check", "e.yaml", cwd=tree), "E316", "imports itself")


def test_a_chain_of_imports_is_bounded(tree: Path) -> None:
    for number in range(300):
        spec(tree / f"n{number}.yaml", f"n{number + 1}.yaml")
    spec(tree / "n300.yaml")
    found = shell("check", "n0.yaml", cwd=tree)
    found.judge((1,))
    assert re.search(rb"error\[E3(13|16)\]", found.out)


def test_what_is_wrong_in_an_import_is_said_there(tree: Path) -> None:
    spec(tree / "top.yaml", "sub/bad.yaml")
    (tree / "sub" / "bad.yaml").write_text("layers: [\n")
    refused(shell("check", "top.yaml", cwd=tree), "E104", "bad.yaml:2:1")


def test_odd_file_names_are_printed_escaped(tmp_path: Path) -> None:
    for name in (
        b"a\x1b[2Jb.yaml",
        b"a\nb.yaml",
        b"caf\xe9.yaml",
        b"-rf.yaml",
        b"\xe2\x80\xae.yaml",
    ):
        path = os.path.join(os.fsencode(tmp_path), name)
        with open(path, "wb") as handle:
            handle.write(b"layers: [\n")
        for form in ("human", "json", "github", "sarif"):
            found = shell("check", "--format", form, "--", os.fsdecode(name), cwd=tmp_path,
                          env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"})  # fmt: skip
            found.judge((1,))
            assert b"E104" in found.out
    found = shell("check", "x\x1b[2J.yaml", "a" * 5_000, "", cwd=tmp_path)
    found.judge((1,))
    assert found.out.count(b"error[E100]") == 3


# the current folder


def test_nothing_is_imported_from_the_current_folder(tmp_path: Path) -> None:
    spec(tmp_path / "net.yaml")
    names = ("yaml", "torch", "json", "jsonschema", "sitecustomize", "usercustomize", "difflib",
             "netspec_torch", "netspec_graphviz", "referencing", "networkx", "relu", "argparse")  # fmt: skip
    for name in names:
        (tmp_path / f"{name}.py").write_text("open('PWNED', 'w')\nraise SystemExit(66)\n")
    (tmp_path / "netspec").mkdir()
    (tmp_path / "netspec" / "__init__.py").write_text("open('PWNED', 'w')\n")
    (tmp_path / "dot").write_text("#!/bin/sh\ntouch PWNED\n")
    (tmp_path / "dot").chmod(0o755)
    (tmp_path / "pyproject.toml").write_text(
        '[project.entry-points."netspec.layers"]\nx = "yaml"\n'
    )
    console = "import sys; from netspec.cli import run; run()"
    # a console script has its own folder first on the path, not the current one
    for argv in (["check", "net.yaml"], ["check", "absent.yaml", "--format", "sarif"], ["draw", "net.yaml"],
                 ["zoo"], ["explain", "ReLUU"]):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-P", "-c", console, *argv], cwd=tmp_path, capture_output=True,
            env=environment(), timeout=60,
        )  # fmt: skip
        assert done.returncode in (0, 1, 2), done.stderr
        assert b"Traceback" not in done.stderr
    assert not (tmp_path / "PWNED").exists()


def test_python_m_netspec_imports_nothing_from_the_current_folder(tmp_path: Path) -> None:
    spec(tmp_path / "net.yaml")
    for name in ("yaml", "torch", "difflib", "jsonschema", "argparse", "json"):
        (tmp_path / f"{name}.py").write_text("open('PWNED', 'w')\nraise SystemExit(66)\n")
    (tmp_path / "bad.yaml").write_text(HEAD + "  - {name: a, type: RELUU}\n")
    for name, status in (("net.yaml", 0), ("bad.yaml", 1)):
        done = subprocess.run(
            [sys.executable, "-m", "netspec", "check", name, "--format", "json"], cwd=tmp_path,
            capture_output=True, env=environment(), timeout=60,
        )  # fmt: skip
        assert done.returncode == status, done.stderr
    assert not (tmp_path / "PWNED").exists()


# arguments, streams and limits of the system


@pytest.mark.parametrize(
    ("argv", "status"),
    [
        (["check", ""], 1),
        (["check", "net.yaml", "net.yaml"], 0),
        (["check", "net.yaml", "--depth", "-1"], 0),
        (["check", "net.yaml", "--level", "1e9"], 2),
        (["check", "@net.yaml"], 1),
        (["check", "--", "-rf"], 1),
        (["check", "net.yaml", "--scale", "\x1b[2J"], 1),
        (["check", "net.yaml", "--set", "a=!!python/name:os.system"], 2),
        (["check", "net.yaml", "--set", "a=" + "[" * 2_000], 2),
        (["check", "net.yaml", "--set", "\x1b[2J=1"], 1),
        (["check", "net.yaml", "--at", "H=" + "9" * 30], 2),
        (["check", "net.yaml", "--at", "\x1b=1"], 0),
        (["check", "net.yaml", "--shape", "data=" + "(" * 500], 2),
        (["check", "net.yaml", "--shape", "data=1,3,8,\x1b"], 2),
        (["check", "net.yaml", "--shape", "data=9223372036854775807,9223372036854775807,2,2"], 1),
        (["check", "zoo:../net"], 1),
        (["check", "zoo:\x1b"], 1),
        (["draw", "net.yaml", "-o", "x.exe"], 1),
        (["draw", "net.yaml", "--depth", "9" * 30], 2),
        (["explain", "\x1b[2J"], 2),
        (["explain", "../../etc/passwd"], 2),
        (["explain", "os"], 2),
        (["explain", "layer"], 2),
        (["import", "net.yaml"], 1),
        (["\x1b[2J"], 2),
        (["__init__"], 2),
        (["os"], 2),
        (["check.py"], 2),
    ],
)  # fmt: skip
def test_arguments(argv: list[str], status: int, tmp_path: Path) -> None:
    spec(tmp_path / "net.yaml")
    before = contents(tmp_path)
    shell(*argv, cwd=tmp_path).judge((status,))
    assert contents(tmp_path) == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_standard_output_is_no_traceback(tmp_path: Path) -> None:
    spec(tmp_path / "net.yaml")
    for argv in (["check", "net.yaml"], ["draw", "net.yaml"], ["schema"], ["--help"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "netspec", *argv], cwd=tmp_path, stdout=full,
                stderr=subprocess.PIPE, env=environment(), timeout=60,
            )  # fmt: skip
        assert done.returncode in (1, 2)
        assert b"Traceback" not in done.stderr and b"internal error" not in done.stderr
        assert b"No space left" in done.stderr


def test_closed_streams_are_no_traceback(tmp_path: Path) -> None:
    spec(tmp_path / "net.yaml")
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        for path in ("net.yaml", "absent.yaml", "-"):
            command = f'exec "{sys.executable}" -P -m netspec check {path} {closed}'
            done = subprocess.run(
                ["sh", "-c", command], cwd=tmp_path, capture_output=True, env=environment(),
                stdin=subprocess.DEVNULL, timeout=60,
            )  # fmt: skip
            assert done.returncode in (0, 1), (closed, path, done)
            assert b"Traceback" not in done.stderr and b"internal error" not in done.stderr


def test_an_interrupt_is_130(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(
        "inputs: {data: [1, 3, 8, 8]}\nblocks:\n"
        "  b: {inputs: [x], layers: [{name: r, type: ReLU, bottom: x}]}\n"
        "layers:\n  - {name: a, block: b, repeat: 999999}\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "netspec", "check", "-q", "spec.yaml"], cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
        # where tests run in the background of a shell, interrupts are ignored, and that is passed on
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    time.sleep(1.5)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode in (130, -signal.SIGINT)
    assert b"Traceback" not in out + err


def test_little_memory_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(
        "inputs: {data: [1, 3, 8, 8]}\nblocks:\n"
        "  b: {inputs: [x], layers: [{name: r, type: ReLU, bottom: x}]}\n"
        "layers:\n  - {name: a, block: b, repeat: 60000}\n"
    )
    found = {mb: shell("check", "-q", "spec.yaml", cwd=tmp_path, memory=mb << 20)
             for mb in (50, 60, 70, 600)}  # fmt: skip
    assert found[600].status == 0
    scarce = [each for each in found.values() if each.status != 0]
    assert scarce, "no run was short of memory"
    for each in scarce:
        assert each.status == 2
        assert each.err == b"netspec: there is not enough memory for this\n"


@pytest.mark.parametrize("option", ["-OO", "-Werror", "-Xutf8=0", "-Xdev"])
def test_options_of_python_change_nothing(option: str, tmp_path: Path) -> None:
    spec(tmp_path / "net.yaml")
    (tmp_path / "bad.yaml").write_text(HEAD + "  - {name: a, type: ReLU, relu_param: {x: 1}}\n")
    for name, status in (("net.yaml", 0), ("bad.yaml", 1)):
        done = subprocess.run(
            [sys.executable, "-P", option, "-m", "netspec", "check", name], cwd=tmp_path,
            capture_output=True, env=environment(HOME="/nonexistent"), timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (status, b"")


# diagnostics


def test_a_long_import_error_tells_nothing_of_a_file_outside(tree: Path) -> None:
    (tree / "link.yaml").symlink_to("/etc/passwd")
    spec(tree / "top.yaml", "link.yaml")
    found = shell("check", "top.yaml", cwd=tree)
    refused(found, "E316")
    assert b"root:" not in found.out
