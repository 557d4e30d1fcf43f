"""The command line: its commands, its exit codes, and how it ends."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from netspec.cli import main
from netspec.commands import explain
from netspec.diagnostics import Report
from netspec.document import parse, read_text
from netspec.schema import editor_schema, found_types

ROOT = Path(__file__).resolve().parent.parent
SPEC = """\
name: Small
inputs: {data: [N, 3, 8, 8]}
layers:
  - {name: conv, type: Convolution, convolution_param: {num_output: 4, kernel_size: 3}}
  - {name: relu, type: ReLU}
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(SPEC)
    return str(path)


def shell(*argv, **more):
    env = dict(os.environ, PYTHONPATH=str(ROOT), **more.pop("env", {}))
    return subprocess.run(
        [sys.executable, "-m", "netspec", *argv], capture_output=True, text=True, env=env,
        timeout=60, **more,
    )  # fmt: skip


def test_help_lists_every_command(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    stems = sorted(path.stem for path in (ROOT / "netspec" / "commands").glob("[a-z]*.py"))
    assert stems
    for stem in stems:
        assert f"\n  {stem.rstrip('_')} " in text


@pytest.mark.parametrize("command", ["check", "explain", "zoo", "schema", "build"])
def test_each_command_has_help(command, capsys):
    assert main([command, "--help"]) == 0
    assert f"usage: netspec {command}" in capsys.readouterr().out
    assert main(["help", command]) == 0


def test_check_help_has_examples(capsys):
    main(["check", "--help"])
    assert "examples:\n  netspec check net.yaml" in capsys.readouterr().out


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("netspec 0.")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["chek", "x"], "did you mean `netspec check`?"),
        (["--chek"], "unknown option `--chek`"),
        (["check"], "required: SPEC"),
        (["check", "x", "--bogus"], "unrecognized arguments: --bogus"),
        (["check", "x", "--phase", "fast"], "invalid choice: 'fast'"),
        (["check", "x", "--set", "novalue"], "write NAME=VALUE"),
        (["check", "x", "--set", "a=[1"], "--set"),
        (["check", "x", "--at", "H=0"], "a size is at least 1"),
        (["check", "x", "--at", "H"], "write SYMBOL=SIZE"),
        (["check", "x", "--shape", "data=1,-3"], "not `-3`"),
        (["check", "x", "--shape", "data"], "write INPUT=SIZE"),
    ],
)
def test_wrong_usage_is_2(argv, said, capsys):
    assert main(argv) == 2
    assert said in capsys.readouterr().err


def test_no_command_is_2(capsys):
    assert main([]) == 2
    assert "usage: netspec" in capsys.readouterr().out


def test_clean_is_0_and_findings_are_1(spec, capsys):
    assert main(["check", spec, "-q"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["check", spec, "--shape", "data=1,3,2,2"]) == 1
    assert "error[E403]" in capsys.readouterr().out
    assert main(["check", spec + ".absent"]) == 1
    assert "error[E100]" in capsys.readouterr().out


def test_a_bug_is_one_line_and_2(spec, capsys, monkeypatch):
    def fail(*_):
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("netspec.commands.check.check", fail)
    assert main(["check", spec]) == 2
    said = capsys.readouterr()
    assert said.err == ("internal error: RuntimeError: two\nNETSPEC_DEBUG=1 shows the traceback\n")
    monkeypatch.setenv("NETSPEC_DEBUG", "1")
    with pytest.raises(RuntimeError):
        main(["check", spec])


def test_runs_from_a_bare_checkout(spec):
    done = shell("check", spec, "-q", cwd=str(ROOT))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_any_locale_can_print_a_spec(tmp_path):
    path = tmp_path / "n\u00e4me.yaml"
    path.write_text(SPEC.replace("Small", "Kl\u00fcver \u7db2"), encoding="utf-8")
    env = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = shell("check", str(path), env=env)
    assert done.returncode == 0, done.stderr
    assert "Kl\\xfcver \\u7db2: phase test" in done.stdout


def test_interrupt_is_130_and_quiet(spec, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("netspec.commands.check.check", interrupt)
    assert main(["check", spec]) == 130
    assert capsys.readouterr().err == ""


def test_a_closed_pipe_is_141_and_quiet(tmp_path):
    layers = "".join(f"  - {{name: r{index}, type: ReLU}}\n" for index in range(3000))
    path = tmp_path / "long.yaml"
    path.write_text("inputs: {data: [1, 1, 8, 8]}\nlayers:\n" + layers)
    child = subprocess.Popen(
        [sys.executable, "-m", "netspec", "check", str(path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
    )  # fmt: skip
    child.stdout.close()
    assert child.stderr.read() == b""
    child.stderr.close()
    assert child.wait(60) in (141, -signal.SIGPIPE)


def test_the_plain_options_are_those_of_argparse():
    from argparse import ArgumentParser

    from netspec.commands import check

    parser = ArgumentParser()
    check.arguments(parser)
    assert vars(check.plain(["a", "-"])) == vars(parser.parse_args(["a", "-"]))


HEAVY = {
    "argparse",
    "torch", "numpy", "networkx", "jsonschema", "graphviz", "dataclasses", "inspect", "typing",
    "pathlib", "json", "referencing", "pydoc", "difflib", "shutil", "decimal", "fractions",
    "netspec.analysis.lints",
}  # fmt: skip


def test_a_clean_check_imports_nothing_heavy(spec):
    script = (
        "import sys\nsys.modules.pop('typing', None)\nbefore = set(sys.modules)\n"
        "from netspec.cli import main\n"
        f"assert main(['check', {spec!r}]) == 0\n"
        "print('\\n'.join(sorted(set(sys.modules) - before)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True,
        env=dict(os.environ, PYTHONPATH=str(ROOT)), timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.split())
    assert "netspec.summary" in loaded
    assert not loaded & HEAVY


# explain


def test_explain_lists_families_and_codes(capsys):
    assert main(["explain"]) == 0
    text = capsys.readouterr().out
    assert "Convolution" in text and "E401  A count that must divide" in text


def test_explain_a_code(capsys):
    assert main(["explain", "e401"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("E401, error: NotDivisible\n\nA count that must divide another does")


def test_explain_a_layer_type(capsys):
    assert main(["explain", "inner_product"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("InnerProduct\n")
    rows = [" ".join(line.split()[:9]) for line in text.splitlines()]
    assert "num_output whole number must be given at least 1" in rows
    assert "inner_product_param: {num_output: 1}" in text


def test_explain_a_field(capsys):
    assert main(["explain", "Convolution", "stride"]) == 0
    assert "convolution_param of Convolution" in capsys.readouterr().out
    assert main(["explain", "Convolution", "strid"]) == 2
    assert "did you mean `stride`?" in capsys.readouterr().err


def test_explain_a_misspelt_topic(capsys):
    assert main(["explain", "Convolutoin"]) == 2
    assert "did you mean `Convolution`?" in capsys.readouterr().err


def test_explain_every_topic():
    for cls in found_types():
        entry = explain.example(cls)
        value = parse(read_text("example", entry, Report()), Report()).value
        assert value["type"] == cls.__name__
        errors = Draft7Validator(SCHEMA).iter_errors({"layers": [value]})
        assert [error.message for error in errors] == [], cls
        assert explain.explain_type(cls)
        for fields in cls.messages.values():
            assert all(explain.explain_field(cls, param) for param in fields.values())
    for code in explain.codes().values():
        assert explain.explain_code(code).startswith(code.id)


# zoo and schema


def test_zoo_lists_the_shipped_specs(capsys):
    assert main(["zoo"]) == 0
    text = capsys.readouterr().out
    for path in (ROOT / "specs").glob("*.yaml"):
        assert f"\n{path.stem} " in text or f"\n{path.stem}\n" in text


SCHEMA = editor_schema()


def accepts(value):
    return not list(Draft7Validator(SCHEMA).iter_errors(value))


def test_the_schema_is_draft_07(capsys):
    Draft7Validator.check_schema(SCHEMA)
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA
    assert "title" not in SCHEMA  # editors would show it as a key


def test_the_schema_is_written(tmp_path):
    path = tmp_path / "netspec.schema.json"
    for _ in range(2):
        assert main(["schema", "-o", str(path)]) == 0
        assert json.loads(path.read_text()) == SCHEMA


def test_the_committed_schema_is_current():
    path = ROOT / "specs" / "netspec.schema.json"
    assert json.loads(path.read_text()) == SCHEMA, "netspec schema -o specs/netspec.schema.json"


@pytest.mark.parametrize("path", sorted((ROOT / "specs").glob("*.yaml")), ids=lambda p: p.stem)
def test_the_schema_accepts_every_shipped_spec(path):
    value = parse(read_text(path.name, path.read_text(), Report()), Report()).value
    assert [error.message for error in Draft7Validator(SCHEMA).iter_errors(value)] == []


ENTRIES = [
    "{name: a, type: Convolution, convolution_param: {num_output: 2, kernel_size: [3, 3]}}",
    "{name: a, type: Convolution, convolution_param: {num_output: $n, kernel_size: '${k+1}'}}",
    "{name: a, type: Convolution, convolution_param: $all}",
    "{name: a, type: $kind, anything_param: {x: 1}}",
    "{name: a, type: Eltwise, eltwise_param: {operation: $op}}",
    "{name: a, type: InnerProduct, inner_product_param: {num_output: 1, bias_term: $b}, "
    "param: [{lr_mult: 0}, {name: w, decay_mult: $d}], include: [{phase: TRAIN}], when: $x}",
    "{name: a, block: b, with: {out: 256}, repeat: '${depth[0]}', share: k, freeze: true}",
    "{name: a, type: Convolution, convolution_param: {num_output: 2, kernel_size: 3, "
    "weight_filler: {type: xavier, variance_norm: FAN_IN}}}",
]
TYPOS = [
    "{name: a}",
    "{type: ReLU}",
    "{name: a, type: Relu}",
    "{name: a, type: Convolution}",
    "{name: a, type: Convolution, convolution_param: {kernel_size: 3}}",
    "{name: a, type: Convolution, convolution_param: {num_output: 2, kernel: 3}}",
    "{name: a, type: Convolution, convolution_param: {num_output: '2'}}",
    "{name: a, type: Convolution, convolution_param: {num_output: 0}}",
    "{name: a, type: ReLU, convolution_param: {num_output: 2}}",
    "{name: a, type: ReLU, botom: b}",
    "{name: a, type: ReLU, repeat: 2}",
    "{name: a, type: ReLU, block: b}",
    "{name: a, block: b, convolution_param: {num_output: 2}}",
    "{name: a, type: ReLU, include: [{phase: FAST}]}",
    "{name: a, type: Eltwise, eltwise_param: {operation: ADD}}",
    "{name: a, type: Convolution, convolution_param: {num_output: 2, kernel_size: 3, "
    "weight_filler: {type: xaver}}}",
]


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_schema_accepts(entry):
    assert accepts(parse(read_text("x", f"layers: [{entry}]", Report()), Report()).value)
    inner = f"layers: []\nblocks: {{b: {{layers: [{entry}]}}}}"
    assert accepts(parse(read_text("x", inner, Report()), Report()).value)


@pytest.mark.parametrize("entry", TYPOS)
def test_the_schema_rejects(entry):
    assert not accepts(parse(read_text("x", f"layers: [{entry}]", Report()), Report()).value)
    inner = f"layers: []\nblocks: {{b: {{layers: [{entry}]}}}}"
    assert not accepts(parse(read_text("x", inner, Report()), Report()).value)


def test_the_schema_checks_the_sections():
    assert accepts({"layers": [], "x-mine": 1, "inputs": {"data": ["N", 3, "H//2", "$w"]}})
    assert accepts({"layers": [], "expect": [{"scale": "s", "params": "<= 5M", "at": {"H": 1}}]})
    for wrong in (
        {},
        {"layers": [], "nmae": "x"},
        {"layers": [], "netspec": 2},
        {"layers": [], "inputs": {"data": {"dtype": "int64"}}},
        {"layers": [], "inputs": {"data": [0]}},
        {"layers": [], "expect": {"parms": 1}},
    ):
        assert not accepts(wrong)
