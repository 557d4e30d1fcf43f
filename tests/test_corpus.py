"""The importers on real network files, against what the real Caffe said of them.

`python -m tests.corpus` writes the outcome of every file.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import netspec
from netspec.cli import main
from netspec.diagnostics import Report
from netspec.importers import foreign
from tests import corpus
from tests.roundtrip import facts

pytestmark = pytest.mark.skipif(
    not (corpus.ROOT / "index.json").exists(), reason=f"no corpus at {corpus.ROOT}"
)

ROWS = corpus.rows() if (corpus.ROOT / "index.json").exists() else []
NETS = [row for row in ROWS if corpus.network(row)]


def excused(row: corpus.Row, note: str) -> bool:
    """Return whether what the real Caffe refuses is rightly taken here.

    It does not have the fields of forks that the layer types have, and was built without cuDNN.
    """
    return bool(row["unknown_fields"]) or "has unknown engine" in note


@pytest.mark.parametrize("phase", ["TEST", "TRAIN"])
def test_as_caffe(phase: str) -> None:
    """What Caffe takes has its shapes, weights, totals and outputs; what it refuses is refused."""
    same, wrong = 0, []
    for row in NETS:
        status, note = corpus.outcome(row, phase)
        same += status == "same"
        said = row.get("caffe", {}).get(phase)
        refused = isinstance(said, dict) and "error" in said
        mistaken = status == "taken" and refused and not excused(row, note)
        if mistaken or status in ("differs", "refused wrongly"):
            wrong.append(f"{row['file']}: {status}: {note}")
    assert not wrong, "\n".join(wrong)
    assert same > 100


def test_as_opencv() -> None:
    """Forks' layers have the shapes of OpenCV's importer."""
    wrong = [
        f"{row['file']}: {found[:3]}"
        for row in NETS
        if "opencv" in row and (found := corpus.opencv_differences(row))
    ]
    assert not wrong, "\n".join(wrong)


def test_darknet() -> None:
    """Every cfg has as many weights as darknet's file has for it, and OpenCV's shapes."""
    found = [(row, *corpus.darknet_outcome(row)) for row in ROWS if row["format"] == "darknet"]
    wrong = [f"{row['file']}: {status}: {note}" for row, status, note in found if note]
    assert not wrong, "\n".join(wrong)
    assert sum(status == "same" for _, status, _ in found) >= 70


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["TEST", "TRAIN"])
def test_there_and_back(phase: str, tmp_path: Path) -> None:
    """What is taken is the same net after an export and another import; symbols are bound."""
    same, wrong = 0, []
    out = tmp_path / "back.prototxt"
    for row in NETS:
        path, said = str(corpus.ROOT / row["file"]), row.get("caffe", {}).get(phase)
        wanted = json.loads((corpus.ROOT / said).read_text()) if isinstance(said, str) else None
        shapes = corpus.given(wanted) if wanted else {}
        try:
            net = netspec.load(path, phase=phase, inputs=shapes)
        except netspec.SpecError:
            continue
        options = ["--phase", phase.lower(), "--force", "-o", str(out)]
        for name, shape in shapes.items():
            options += ["--shape", f"{name}={','.join(map(str, shape))}"]
        if main(["export", path, *options]):
            main(["export", path, *options, "--at", "N=3"])
            net = netspec.load(path, phase=phase, inputs=shapes, at={"N": 3})
        if facts(netspec.load(str(out), phase=phase)) == facts(net):
            same += 1
        else:
            wrong.append(row["file"])
        out.unlink()
    assert not wrong, "\n".join(wrong)
    assert same > 120


def test_every_solver() -> None:
    """A solver imports, with its net where that is near and can be."""
    wrong = []
    for row in ROWS:
        if row["kind"] != "solver":
            continue
        path = str(corpus.ROOT / row["file"])
        shapes: dict[str, list[str | int]] = {}
        try:
            foreign.spec_text(path, Report(), shapes)
        except netspec.SpecError as error:
            for found in error.diagnostics:  # what is asked for is given as the hint says
                if found.code.id == "E624":
                    dims = found.hint.partition("=")[2].replace(",...", "").split(",")
                    shapes[found.facts["input"]] = [int(d) if d.isdigit() else d for d in dims]
        try:
            text = foreign.spec_text(path, Report(), shapes)
        except netspec.SpecError as error:
            wrong.append(f"{row['file']}: {error.diagnostics[0]}")
        else:
            assert "solver:" in text
    assert not wrong, "\n".join(wrong)


def test_no_file_is_a_traceback() -> None:
    """Templates, fragments and typos end in a diagnostic with a place."""
    for row in ROWS:
        if row["kind"] not in ("malformed", "fragment"):
            continue
        path = str(corpus.ROOT / row["file"])
        if row["kind"] == "malformed":
            with pytest.raises(netspec.SpecError) as caught:
                netspec.load(path)
            assert caught.value.diagnostics[0].span is not None
