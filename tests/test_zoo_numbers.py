"""The shipped specs: all that they expect of themselves, and the counts published of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import netspec
from netspec.analysis.expectations import applicable
from netspec.commands.check import Asked, check, plain
from netspec.zoo import files, folder, scales

FILES = [file.removesuffix(".yaml") for file in files()]
# Learned weights, fixed weights, and multiply-accumulates at some sizes.
ROWS = json.loads(Path(__file__).with_name("zoo_rows.json").read_text(encoding="utf-8"))
TEMPLATES = {"conv_relu_pool_template"}  # a family without a published member


@pytest.mark.parametrize("name", FILES)
def test_every_variant_is_clean_and_expected(name):
    path = f"zoo:{name}"
    found = check(path, Asked(plain([path]), True))
    assert [str(each) for each in found.diagnostics] == []
    assert {net.scale for net in found.nets if applicable(net)} == set(
        scales(f"{folder()}/{name}.yaml") or [None]
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['name']}-{row.get('phase', 'test')}")
def test_counts(row):
    net = netspec.load(f"zoo:{row['name']}", phase=row.get("phase", "test"), at=row["at"])
    found = {"params": net.params.trainable, "frozen": net.params.frozen, "macs": net.macs}
    wanted = {key: row[key] for key in found if key in row}
    assert {key: found[key] for key in wanted} == wanted


def test_every_spec_has_a_row():
    shipped = {scale for name in FILES for scale in scales(f"{folder()}/{name}.yaml")}
    shipped |= {name for name in FILES if not scales(f"{folder()}/{name}.yaml")}
    counted = {row["name"] for row in ROWS}
    assert sorted(counted - shipped) == []
    assert sorted(shipped - counted - TEMPLATES) == []
