"""The importers on real network files, against what the real Caffe said of them.

`python -m tests.corpus` writes the outcome of every file.
"""

from __future__ import annotations

import pytest

import netspec
from netspec.diagnostics import Report
from netspec.importers import foreign
from tests import corpus

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
