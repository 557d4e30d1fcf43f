"""`build -o FOLDER`: all of its files or none, and a folder that stands alone."""

# ruff: noqa: E501 - specs stand as they are written

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from netspec import output
from netspec.cli import main

torch = pytest.importorskip("torch")
safe_open = pytest.importorskip("safetensors").safe_open

SPEC = """\
name: pair
scales: {wide: {out: 6}}
vars: {out: 3}
imports: {inner: parts/inner.yaml}
inputs: {data: [2, 4]}
layers:
  - {name: one, block: inner}
  - {name: two, type: InnerProduct, param: {name: w}, inner_product_param: {num_output: 4, bias_term: false}}
  - {name: three, type: InnerProduct, param: {name: w}, inner_product_param: {num_output: 4, bias_term: false}}
  - {name: four, type: InnerProduct, inner_product_param: {num_output: $out}}
"""
INNER = """\
imports: {deep: deep.yaml}
inputs: {data: [2, 4]}
layers:
  - {name: d, block: deep}
"""
DEEP = "inputs: {data: [2, 4]}\nlayers:\n  - {name: r, type: ReLU}\n"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "in" / "parts").mkdir(parents=True)
    (tmp_path / "in" / "net.yaml").write_text(SPEC)
    (tmp_path / "in" / "parts" / "inner.yaml").write_text(INNER)
    (tmp_path / "in" / "parts" / "deep.yaml").write_text(DEEP)
    return tmp_path / "in" / "net.yaml"


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_folder_stands_alone(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "deep"
    assert main(["build", str(spec), "--scale", "wide", "-o", str(out)]) == 0
    assert sorted(files(out)) == [
        "model.py", "model.safetensors", "net.yaml", "parts/deep.yaml", "parts/inner.yaml",
    ]  # fmt: skip
    for path in spec.parent.rglob("*.yaml"):
        path.unlink()
    assert main(["check", "-q", str(out / "net.yaml")]) == 0
    with safe_open(str(out / "model.safetensors"), "pt") as stored:
        about = stored.metadata()
        weights = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    assert about["spec"] == "pair" and about["phase"] == "test" and about["scale"] == "wide"
    assert about["netspec"].startswith("0.")
    made: Any = [v for v in runpy.run_path(str(out / "model.py")).values()
                 if isinstance(v, type) and issubclass(v, torch.nn.Module)][-1]  # fmt: skip
    model = made()
    model.load_state_dict(weights, strict=True)
    assert torch.equal(weights["two.weight"], weights["three.weight"])  # one weight, stored twice
    assert model(torch.ones(2, 4)).shape == (2, 6)


def test_one_file_that_is_there_stops_all(spec: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out"
    (out / "parts").mkdir(parents=True)
    (out / "parts" / "deep.yaml").write_text("mine")
    assert main(["build", str(spec), "-o", str(out)]) == 1
    assert "E506" in capsys.readouterr().out
    assert files(out) == {"parts/deep.yaml": b"mine"}
    assert main(["build", str(spec), "-o", str(out), "--force"]) == 0
    assert len(files(out)) == 5


@pytest.mark.parametrize("turn", [1, 2, 3, 4, 5])
def test_a_failed_move_undoes_the_others(
    spec: Path, tmp_path: Path, monkeypatch: Any, turn: int
) -> None:
    out = tmp_path / "out"
    link, count = os.link, 0

    def fail(*args: Any, **more: Any) -> None:
        nonlocal count
        count += 1
        if count >= turn:
            raise FileExistsError(17, "it came in between")
        link(*args, **more)

    monkeypatch.setattr(output.os, "link", fail)
    assert main(["build", str(spec), "-o", str(out)]) == 1
    assert not out.exists()


def test_the_folder_of_the_spec_keeps_it(spec: Path) -> None:
    assert main(["build", str(spec), "-o", str(spec.parent)]) == 0
    assert spec.read_text() == SPEC
    assert {"model.py", "model.safetensors"} <= files(spec.parent).keys()


def test_a_full_disk_loses_nothing(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "model.py").write_text("old")
    (out / "model.safetensors").write_text("old")
    script = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))\n"
        "from netspec.cli import main\n"
        "sys.exit(main(['build', *sys.argv[1:]]))\n"
    )
    root = Path(__file__).parents[1]
    env = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{root / 'backends'}"}
    done = subprocess.run(
        [sys.executable, "-c", script, str(spec), "-o", str(out), "--force"],
        capture_output=True, text=True, env=env, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "E505" in done.stdout and "Traceback" not in done.stderr
    assert files(out) == {"model.py": b"old", "model.safetensors": b"old"}
