"""The house rules that matter, as tests."""

# ruff: noqa: E501 - specs stand on the lines they are shown with

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from netspec import codes
from netspec.diagnostics import Code
from netspec.plugins import fold

ROOT = Path(__file__).parent.parent
CORE = ROOT / "netspec"
BACKENDS = ROOT / "backends"
TRUNK = [
    "pipeline", "text", "diagnostics", "places", "document", "dim", "compare", "blob", "layer", "schema", "spec",
    "expression", "evaluation", "variables", "expand", "graph", "infer", "net",
]  # fmt: skip
# a module imports only from rows above it
ROWS = [
    {"text", "dim", "plugins"},
    {"places"},
    {"diagnostics", "compare"},
    {"codes", "blob"},
    {"document", "expression", "layer", "output"},
    {"layers", "evaluation"},
    {"schema"},
    {"spec", "cures", "solving"},
    {"graph", "variables", "refusals"},
    {"expand", "infer", "zoo"},
    {"analysis"},
    {"net", "summary"},
    {"formats", "importers"},
    {"pipeline", "edits"},
    {"api", "transforms"},
    {"commands", "cli"},
]
# imports inside a function, from a row that is not above
LAZY = {
    ("layer", "codes"), ("net", "summary"), ("spec", "solving"), ("summary", "analysis"),
    ("solving", "importers"), ("importers", "pipeline"),
}  # fmt: skip
HEAVY = {
    "torch",
    "numpy",
    "onnx",
    "networkx",
    "jsonschema",
    "cv2",
    "h5py",
    "safetensors",
    "pygraphviz",
}
SLOW = {"typing", "dataclasses", "enum", "pathlib", "inspect"}  # at run time on the way of a check
MODULES = sorted(CORE.rglob("*.py"))


def row(name):
    return next((number for number, names in enumerate(ROWS) if name in names), None)


def imports(tree, lazy=False):
    """Yield (dotted name, level, whether inside a function) of every import that runs."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING":
            for other in child.orelse:
                yield from imports(other, lazy)
            continue
        if isinstance(child, ast.Import):
            yield from ((alias.name, 0, lazy) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            if child.module:
                yield child.module, child.level, lazy
            else:
                yield from ((alias.name, child.level, lazy) for alias in child.names)
        yield from imports(child, lazy or isinstance(child, ast.FunctionDef))


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def inner(path):
    """Yield (imported top-level part of netspec, whether lazily) for a module of netspec."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for name, level, lazy in imports(parsed(path)):
        whole = (
            name.split(".")
            if level == 0
            else [*package[: len(package) - level + 1], *name.split(".")]
        )
        if whole[0] == "netspec" and len(whole) > 1:
            yield whole[1], lazy


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(CORE)))
def test_a_module_imports_from_rows_above_it(path):
    here = path.relative_to(CORE).with_suffix("").parts[0]
    if here in ("__init__", "__main__"):
        return
    assert row(here) is not None, f"{here} stands in no row"
    for other, lazy in inner(path):
        if other in (here, "__version__"):
            continue
        below = row(other) >= row(here)
        assert not below or (lazy and (here, other) in LAZY), f"{here} imports {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(CORE)))
def test_the_compiler_knows_no_tensor_library(path):
    for name, level, lazy in imports(parsed(path)):
        top = name.partition(".")[0]
        if level == 0:
            assert lazy or top not in HEAVY, f"{name} at the top"
            assert top not in {"torch", "onnx"} or path.name in ("api.py", "weights.py"), name
            assert not top.startswith("netspec_") or path.name == "api.py", name


@pytest.mark.parametrize("name", [*TRUNK, "codes", "plugins", "zoo"])
def test_the_way_of_a_check_imports_nothing_slow(name):
    for imported, level, lazy in imports(parsed(CORE / f"{name}.py")):
        assert level or lazy or imported.partition(".")[0] not in SLOW, imported


def modules_after(code):
    done = subprocess.run([sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
                          capture_output=True, text=True, check=True, cwd=ROOT)  # fmt: skip
    return set(done.stdout.split())


def test_importing_netspec_imports_next_to_nothing():
    loaded = modules_after("import netspec")
    assert not loaded & (HEAVY | {"yaml", "netspec.pipeline"})


def test_a_clean_check_imports_no_heavy_library():
    loaded = modules_after("import netspec; netspec.load('specs/lenet_caffe.yaml').summary()")
    assert not loaded & (HEAVY | {"difflib", "netspec.cures", "netspec.refusals"})


def test_a_spec_loads_the_types_it_names():
    loaded = modules_after("import netspec; netspec.load('specs/lenet_caffe.yaml')")
    stems = {name.rpartition(".")[2] for name in loaded if name.startswith("netspec.layers.")}
    assert "convolution" in stems and "gru" not in stems


def test_names_for_type_checkers_are_the_lazy_ones():
    import netspec

    (block,) = (n for n in parsed(CORE / "__init__.py").body if isinstance(n, ast.If))
    named = {
        alias.asname: f"{node.module}"
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module.startswith("netspec.")
        for alias in node.names
    }
    assert named == netspec._HOMES
    assert set(netspec.__all__) == {"__version__", *named}
    assert all(hasattr(netspec, name) for name in named)
    with pytest.raises(AttributeError):
        netspec.nothing  # noqa: B018


def stems(folder, suffix=".py"):
    return {p.stem for p in folder.iterdir() if p.suffix == suffix and p.stem != "__init__"}


@pytest.mark.parametrize(
    "folder",
    [*sorted(BACKENDS.glob("*/layers")), ROOT / "tests" / "layers"],
    ids=lambda p: p.parent.name,
)
def test_mirrors_name_only_layer_types_that_are_there(folder):
    suffix = ".yaml" if folder.parent.name == "tests" else ".py"
    assert {fold(stem) for stem in stems(folder, suffix)} <= {
        fold(s) for s in stems(CORE / "layers")
    }


def test_every_layer_type_has_its_facts():
    missing = {fold(s) for s in stems(CORE / "layers")} - {
        fold(s) for s in stems(ROOT / "tests/layers", ".yaml")
    }
    assert not missing


def test_the_stem_of_a_layer_type_is_its_name():
    from netspec.schema import found_types

    for cls in found_types():
        assert fold(cls.__name__) == fold(cls.__module__.rpartition(".")[2])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(CORE)))
def test_no_text_is_ever_run(path):
    banned = {"eval", "exec", "compile", "__import__", "globals", "locals", "vars"}
    allowed = {("schema.py", "vars"), ("explain.py", "vars"), ("__init__.py", "globals")}
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in banned or (path.name, node.func.id) in allowed, node.func.id
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", "") or ""}
            assert not names & {"pickle", "marshal", "shelve", "ast", "code", "socket", "urllib"}, (
                names
            )
        if isinstance(node, ast.keyword) and node.arg == "shell":
            raise AssertionError("shell=")
        if isinstance(node, ast.Assert):
            # an assert may narrow a type; it must not be the check of an input
            assert "isinstance" in ast.unparse(node) or "is not None" in ast.unparse(node), (
                ast.unparse(node)
            )


def test_only_the_eager_backend_runs_source():
    runs = [
        path.name
        for path in sorted(BACKENDS.rglob("*.py"))
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("eval", "exec")
    ]
    assert runs == ["eager.py"]


@pytest.mark.parametrize(
    "path", sorted(BACKENDS.rglob("*.py")), ids=lambda p: str(p.relative_to(BACKENDS))
)
def test_backends_know_the_compiler_and_not_each_other(path):
    own = path.relative_to(BACKENDS).parts[0]
    for name, level, _ in imports(parsed(path)):
        parts = name.split(".")
        if level == 0 and parts[0].startswith("netspec_"):
            assert parts[0] == own
        assert parts[:2] not in (["netspec", "cli"], ["netspec", "commands"])


def test_the_trunk_is_short():
    sizes = {name: len((CORE / f"{name}.py").read_text().splitlines()) for name in TRUNK}
    assert max(sizes.values()) <= 700, sizes
    assert sum(sizes.values()) <= 6_150, sizes


def every_code():
    return [
        c
        for c in vars(codes).values()
        if isinstance(c, type) and issubclass(c, Code) and c is not Code
    ]


def test_codes_have_numbers_of_their_own_in_order_of_stages():
    ids = [code.id for code in every_code()]
    assert len(ids) == len(set(ids))
    assert all(name[0] in "EW" and name[1:].isdigit() and len(name) == 4 for name in ids)
    stages = [int(name[1]) for name in ids]
    assert stages == sorted(stages)


@pytest.mark.parametrize("code", every_code(), ids=lambda code: code.id)
def test_a_code_is_explained_and_speaks_plainly(code):
    assert code.__doc__ and len(code.__doc__.splitlines()) <= 15
    for text in (code.message, code.hint):
        assert not text.endswith((".", "!"))
        assert "you" not in text.lower().split() and "please" not in text.lower()
        assert text[:1].islower() or not text[:1].isalpha() or text[:3].isupper()


def test_every_code_is_raised_somewhere():
    text = "\n".join(
        p.read_text() for p in [*MODULES, *sorted(BACKENDS.rglob("*.py"))] if p.name != "codes.py"
    )
    unused = [code.__name__ for code in every_code() if f"codes.{code.__name__}" not in text
              and f"{code.__name__}," not in text and f"import {code.__name__}" not in text]  # fmt: skip
    assert unused == []
