"""The support matrix in the docs is what the code says."""

from __future__ import annotations

import os

import pytest

from netspec.commands.explain import matrix
from netspec.schema import found_types

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
torch = pytest.importorskip("netspec_torch")


def test_the_docs_are_current():
    with open(os.path.join(ROOT, "docs", "support.md"), encoding="utf-8") as file:
        assert file.read() == matrix(), "write it with: netspec explain --matrix > docs/support.md"


def test_caffes_types_are_all_there():
    assert "the 61 of BVLC Caffe" in matrix()


@pytest.mark.parametrize("cls", list(found_types()), ids=lambda cls: cls.__name__)
def test_a_type_is_built_or_refused_with_a_reason(cls):
    built, reasons = torch.support(cls.__name__)
    assert built or cls.source or reasons != ["it has no lowering yet"]
