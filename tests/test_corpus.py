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

# what the Caffe that was asked refuses, and is rightly taken here
TAKEN = {
    "has unknown engine": "`engine` says how Caffe computes; it was built without cuDNN",
    "naibaf7+caffe_neural_models": "a fork's field: `dilation` of Pooling",
}


@pytest.mark.parametrize("phase", ["TEST", "TRAIN"])
def test_as_caffe(phase: str) -> None:
    """What Caffe takes has its shapes, weights, totals and outputs; what it refuses is refused."""
    same, wrong = 0, []
    for row in NETS:
        status, note = corpus.outcome(row, phase)
        same += status == "same"
        said = row.get("caffe", {}).get(phase)
        refused = isinstance(said, dict) and "error" in said
        excused = any(part in note or part in row["file"] for part in TAKEN)
        if status in ("differs", "refused wrongly") or status == "taken" and refused and not excused:
            wrong.append(f"{row['file']}: {status}: {note}")
    assert not wrong, "\n".join(wrong)
    assert same > 100


def test_every_solver() -> None:
    """A solver imports, with its net where that is near and can be."""
    wrong = []
    for row in ROWS:
        if row["kind"] != "solver":
            continue
        try:
            text = foreign.spec_text(str(corpus.ROOT / row["file"]), Report(), SHAPES)
        except netspec.SpecError as error:
            wrong.append(f"{row['file']}: {error.diagnostics[0]}")
        else:
            assert "solver:" in text
    assert not wrong, "\n".join(wrong)


SHAPES = {"data": ["N", 3, 224, 224], "label": ["N"]}


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
