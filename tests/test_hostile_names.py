"""Hostile text in a spec: generated source differs from a benign twin in literals and names."""

from __future__ import annotations

import ast
import io
import json
import tokenize
from pathlib import Path
from typing import Any

import pytest

import netspec

torch = pytest.importorskip("torch")

NAMES = [
    "forward", "training", "_modules", "type", "half", "__class__", "class", "match", "self",
    "torch", "None", "0", "lambda", "nn", "F", "math", "state_dict", "parameters", "train", "super",
    "names", "multipliers", "x", "y", "x0", "a b", "a.b", "a_b", "a-b", "a/b", "a|b", "{0}", "a;b",
    "__init__", "__import__('os')", "print(1)", "%s", "a#b", "a=1", "data", "import os", "*", "@",
]  # fmt: skip
TEXTS = [
    '"""', "'''", "\\", "trailing\\", "\n", "\r", "\x0c", "\u2028", "{}", "{{x}}", "%s", "# x",
    "\\N{BULLET}", "+AAo-print(1)", "-*- coding: utf-7 -*-", "\x00", "\u202e", "'); import os; ('",
    "${x}", "\x1b[2J", "*/", "\ud83d", "a" * 5_000, "\N{GRINNING FACE}",
    "__import__('os').system('id')",
]  # fmt: skip
COMMENTS = ("# -*- coding: utf-8 -*-", "# attribute: the layer's name in the spec")


def spec(folder: Path, names: list[str], title: str, notes: str) -> str:
    entries: list[dict[str, Any]] = []
    for name in names:
        entries.append({
            "name": name, "type": "Convolution",
            "convolution_param": {"num_output": 3, "kernel_size": 1},
        })  # fmt: skip
    document = {"name": title, "notes": notes, "source": notes, "x-any": notes,
                "inputs": {"data": [1, 3, 4, 4]}, "layers": entries}  # fmt: skip
    path = folder / "net.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


class Plain(ast.NodeTransformer):
    """Take the literals and names out of a tree."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("K")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name("N", node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return ast.Attribute(node.value, "A", node.ctx)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        # a table of literals, there where names are not those of the spec
        node.body = [each for each in node.body if not isinstance(each, ast.Assign)]
        self.generic_visit(node)
        node.name = "C"
        return node


def shape(source: str) -> str:
    return ast.dump(Plain().visit(ast.parse(source)))


def possible(names: list[str]) -> list[str]:
    from netspec.spec import bad_name

    return [name for name in names if not bad_name(name)]


def test_most_hostile_names_are_allowed_as_names() -> None:
    assert 25 < len(possible(NAMES)) < len(NAMES)


@pytest.mark.parametrize("name", possible(NAMES))
def test_a_hostile_name_is_a_twin_of_a_benign_one(name: str, tmp_path: Path) -> None:
    hostile = netspec.source(spec(tmp_path, [name], name, ""))
    benign = netspec.source(spec(tmp_path, ["conv"], "net", ""))
    assert shape(hostile) == shape(benign) or "." in name  # a dot makes a module around it
    judge(hostile)
    model = netspec.build(spec(tmp_path, [name], name, ""))
    assert model(torch.ones(1, 3, 4, 4)).shape == (1, 3, 4, 4)
    assert model.training is False
    model.train()
    assert len(list(model.parameters())) == 2
    traced = torch.fx.symbolic_trace(model)
    assert traced(torch.ones(1, 3, 4, 4)).shape == (1, 3, 4, 4)


def test_all_hostile_names_at_once(tmp_path: Path) -> None:
    names = [name for name in possible(NAMES) if name != "data"]  # the input
    path = spec(tmp_path, names, "all", "")
    model = netspec.build(path)
    assert len(model.state_dict()) == 2 * len(names)
    assert model(torch.ones(1, 3, 4, 4)).shape == (1, 3, 4, 4)
    judge(netspec.source(path))


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_hostile_text_changes_no_source(text: str, tmp_path: Path) -> None:
    benign = netspec.source(spec(tmp_path, ["conv"], "net", "x"))
    try:
        hostile = netspec.source(spec(tmp_path, ["conv"], text, text))
    except netspec.SpecError as error:
        assert error.diagnostics[0].code.id in ("E102", "E104", "E209", "E300", "E301", "E302")
        return
    assert shape(hostile) == shape(benign)
    judge(hostile)


def judge(source: str) -> None:
    """Assert what holds for all generated source."""
    assert source.isascii()
    assert "\r" not in source and "\x0c" not in source and "\x00" not in source
    assert source.startswith(COMMENTS[0] + "\n")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            assert token.string in COMMENTS
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = {a.name for a in node.names} | {getattr(node, "module", None)}
            assert modules <= {"torch", "nn", "torch.nn", "torch.nn.functional", "math", None}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec", "open", "compile", "__import__", "print")
