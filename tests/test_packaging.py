"""The wheel holds what it should, and works away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    options = ["-q", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options], check=True)
    (found,) = folder.glob("*.whl")
    return found


def test_top_level_is_ours_alone(wheel):
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in tops if not name.endswith(".dist-info")} == {
        "netspec",
        "netspec_graphviz",
        "netspec_torch",
    }


def test_every_module_and_spec_is_in_it(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    ours = {str(p.relative_to(ROOT)) for p in (ROOT / "netspec").rglob("*.py")}
    ours |= {str(p.relative_to(ROOT / "backends")) for p in (ROOT / "backends").rglob("*.py")}
    ours |= {f"netspec/specs/{p.name}" for p in (ROOT / "specs").iterdir()}
    assert not {name for name in ours if "__pycache__" not in name} - held


def test_the_wheel_checks_a_shipped_spec_elsewhere(wheel, tmp_path):
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    done = subprocess.run(
        [sys.executable, "-m", "netspec", "check", "-q", "zoo:resnet50"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(site)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_no_module_lies_loose_beside_the_backends():
    assert [p.name for p in (ROOT / "backends").iterdir() if p.suffix == ".py"] == []
