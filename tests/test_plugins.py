from __future__ import annotations

import sys
from pathlib import Path

import pytest

from netspec import plugins
from netspec.plugins import Folder, checkout, entry_points, fold

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", ["InnerProduct", "inner_product", "INNERPRODUCT"])
def test_names_are_compared_folded(name):
    assert fold(name) == "innerproduct"


def test_a_module_is_found_by_its_stem_and_imported_then():
    sys.modules.pop("netspec.layers.elu", None)
    found = Folder("netspec.layers", "none")
    assert found.stems()["elu"] == "netspec.layers.elu"
    assert "netspec.layers.elu" not in sys.modules
    assert found.find("ELU").__name__ == "netspec.layers.elu"


@pytest.mark.parametrize("name", ["", "__init__", "../expand", "os.path", "layers.elu", "\0"])
def test_only_a_stem_is_a_name(name):
    assert Folder("netspec.layers", "none").find(name) is None


def package(folder, name, *stems):
    (folder / name).mkdir()
    for stem in ("__init__", *stems):
        (folder / name / f"{stem}.py").write_text("")


def test_packages_of_plugins_add_stems(tmp_path, monkeypatch):
    package(tmp_path, "acme_layers", "acme_one")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(plugins, "entry_points", lambda group: {"acme": "acme_layers"})
    found = Folder("netspec.layers", "some.group")
    assert found.find("AcmeOne").__name__ == "acme_layers.acme_one"
    assert {"acme_one", "convolution"} <= set(found)


def test_two_modules_of_one_stem_are_refused(tmp_path, monkeypatch):
    package(tmp_path, "acme_twice", "re_lu")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(plugins, "entry_points", lambda group: {"acme": "acme_twice"})
    with pytest.raises(ImportError, match=r"netspec\.layers\.relu and acme_twice\.re_lu"):
        Folder("netspec.layers", "some.group").find("nothing")


def test_a_stem_that_is_here_reads_no_entry_points(monkeypatch):
    def fail(group):
        raise AssertionError(group)

    monkeypatch.setattr(plugins, "entry_points", fail)
    assert Folder("netspec.layers", "some.group").find("ReLU") is not None


def test_a_checkout_has_its_own_entry_points():
    table = checkout()
    assert table["netspec.backends"]["torch"] == "netspec_torch:eager"
    assert str(ROOT / "backends") in map(str, sys.path)
    assert entry_points("netspec.backends")["graphviz"] == "netspec_graphviz:dot"
