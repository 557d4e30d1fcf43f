"""Wrong specs, and exactly what is said about them. NETSPEC_BLESS=1 writes the texts anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import netspec
from netspec import codes
from netspec.diagnostics import Code

FOLDER = Path(__file__).parent / "errors"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
# codes that no spec alone can raise, and where they are tested
ELSEWHERE = {
    "E100": "no file: test_pipeline.py, test_document.py",
    "E103": "a file of 10 MB: test_document.py",
    "E307": "a scale that is asked for: test_expand.py",
    "E308": "a scale that is not asked for: test_expand.py",
    "E207": "no field has such a limit yet: test_schema.py",
    "E335": "sizes of a call: test_infer.py",
}


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    monkeypatch.chdir(FOLDER)  # file names in the texts are relative


def said(name: str) -> str:
    with pytest.raises(netspec.SpecError) as caught:
        netspec.load(f"{name}.yaml")
    assert caught.value.diagnostics[0].code.id == name.partition("_")[0]
    return f"{caught.value}\n"


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_spec_is_told_so(name: str) -> None:
    text, golden = said(name), FOLDER / f"{name}.txt"
    if os.environ.get("NETSPEC_BLESS"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_it_is_told_once_and_says_what_to_do_or_why(name: str) -> None:
    with pytest.raises(netspec.SpecError) as caught:
        netspec.load(f"{name}.yaml")
    assert len(caught.value.diagnostics) == 1
    (found,) = caught.value.diagnostics
    assert found.span is not None and "?" not in found.message
    assert all(line.isprintable() for line in found.render().split("\n"))


def test_every_code_of_the_language_has_a_spec() -> None:
    known = {
        c.id for c in vars(codes).values() if isinstance(c, type) and issubclass(c, Code) and c.id
    }
    wanted = {name for name in known if name < "E430"}
    assert wanted == {name.partition("_")[0] for name in CASES} | set(ELSEWHERE)


def test_no_text_is_left_without_its_spec() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(CASES)
