"""Every example runs, and reaches the figure that the README gives it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib import util
from pathlib import Path

import pytest

from netspec.cli import main

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"


def load(name: str):
    spec = util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def example(monkeypatch):
    torch = pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    monkeypatch.syspath_prepend(str(EXAMPLES))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # workers of a test run share the cores
    yield load
    torch.set_num_threads(threads)


def test_load_and_print(capsys):
    net = load("01_load_and_print").main()
    assert net.params.total == 25_557_032
    assert "25,557,032 params" in capsys.readouterr().out


def test_lenet_learns_the_digits(example):
    assert example("02_train_lenet").main() >= 0.97


def test_the_karate_club_splits(example):
    assert example("03_karate_club").main() >= 0.97


def test_signals_are_told_apart(example):
    assert example("04_signals").main() >= 0.97


@pytest.mark.slow
def test_discs_are_segmented(example):
    assert example("05_segment_shapes").main() >= 0.92


@pytest.mark.slow
def test_convnetjs_learns_the_digits(example):
    assert example("06_digits_convnetjs").main() >= 0.96


@pytest.mark.slow
def test_style_is_transferred(example, tmp_path):
    picture = tmp_path / "style.png"
    assert example("07_style_transfer").main(picture=picture) >= 20
    assert picture.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.slow
def test_the_enlarged_photograph_is_better_than_bicubic(example):
    assert example("08_super_resolution").main() >= 0.3


@pytest.mark.slow
def test_invented_digits_are_near_real_ones(example):
    distance, kinds = example("09_digits_dcgan").main()
    assert distance <= 1.6
    assert kinds == 10


def test_yolo_finds_every_object(example):
    assert example("10_yolo_scenes").main() == (1.0, 0)


@pytest.fixture
def plugged(tmp_path):
    """Return how to run Python with the plugin's entry points installed."""
    pytest.importorskip("torch")
    plugin = EXAMPLES / "plugin"
    points = tomllib.loads((plugin / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = tmp_path / "snake_net-0.1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: snake-net\nVersion: 0.1.0\n")
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in table.items())
        for group, table in points["entry-points"].items()
    ]
    (installed / "entry_points.txt").write_text("\n".join(lines))
    path = os.pathsep.join(map(str, (ROOT, ROOT / "backends", tmp_path, plugin)))

    def run(*arguments: str, installed: bool = True) -> subprocess.CompletedProcess[str]:
        paths = path if installed else os.pathsep.join(map(str, (ROOT, ROOT / "backends")))
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=EXAMPLES, capture_output=True, text=True, timeout=300, check=False,
            env=os.environ | {"PYTHONPATH": paths, "NO_COLOR": "1", "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    return run


def test_a_layer_type_from_outside_learns(plugged):
    done = plugged("11_snake_plugin.py")
    assert done.returncode == 0, done.stderr
    error = float(re.search(r"seen part: ([0-9.]+)%", done.stdout)[1])
    assert error <= 20


def test_a_layer_type_from_outside_is_checked_and_explained(plugged):
    done = plugged("-m", "netspec", "check", "-q", "plugin/snake.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert "snake_param:" in plugged("-m", "netspec", "explain", "Snake").stdout
    without = plugged("-m", "netspec", "check", "plugin/snake.yaml", installed=False)
    assert without.returncode == 1
    assert "unknown layer type `Snake`" in without.stdout + without.stderr


def test_a_backend_from_outside_is_a_command(plugged):
    done = plugged("-m", "netspec", "table", "plugin/snake.yaml")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "| | | | | 257 |"
    assert "| snake | Snake | a | 64 | 64 |" in done.stdout
    assert plugged("-m", "netspec", "table", "none.yaml").returncode == 1


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_its_spec_is_clean(path, capsys):
    assert main(["check", "-q", str(path)]) == 0
    assert capsys.readouterr().out == ""
    assert "\nexpect:" in path.read_text(encoding="utf-8")


def test_every_example_is_short_and_tested():
    text = Path(__file__).read_text(encoding="utf-8")
    for path in EXAMPLES.glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 100, path.name
        assert path.stem in text or path.name == "pictures.py", path.name
