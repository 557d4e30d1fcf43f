from __future__ import annotations

import pytest

from netspec import codes
from netspec.diagnostics import (
    CROP,
    LIMIT,
    Code,
    Diagnostic,
    Report,
    SpecError,
    crop,
    nearest,
    printable,
    render,
    show,
)
from netspec.text import Source

SOURCE = Source("net.yaml", "layers:\n  - {name: conv, type: Relu}\n")


class Warned(Code):
    """Only a warning."""

    id = "W999"
    message = "`{word}` is odd"
    hint = "leave `{word}` out"


def test_a_diagnostic_is_shown_with_its_line_and_related_places():
    found = Diagnostic(
        codes.UnknownLayerType, SOURCE.span(31, 35), [(SOURCE.span(19, 23), "of this")],
        {"type": "Relu", "hint": "did you mean `ReLU`?"},
    )  # fmt: skip
    assert found.render() == (
        "error[E206]: unknown layer type `Relu`\n"
        "  --> net.yaml:2:24\n"
        "  2 |   - {name: conv, type: Relu}\n"
        "    |                        ^^^^\n"
        "  --> net.yaml:2:12\n"
        "  2 |   - {name: conv, type: Relu}\n"
        "    |            ---- of this\n"
        "  = help: did you mean `ReLU`?"
    )
    assert str(found) == "net.yaml:2:24: error[E206]: unknown layer type `Relu`"


def test_json_has_what_the_language_server_protocol_wants():
    found = Diagnostic(Warned, SOURCE.span(31, 35), [(SOURCE.span(19, 23), "a\nb")], {"word": "x"})
    assert found.as_json() == {
        "code": "W999",
        "severity": "warning",
        "message": "`x` is odd",
        "file": "net.yaml",
        "range": {"start": {"line": 1, "character": 23}, "end": {"line": 1, "character": 27}},
        "hint": "leave `x` out",
        "related": [{
            "message": "a\\nb",
            "file": "net.yaml",
            "range": {"start": {"line": 1, "character": 11}, "end": {"line": 1, "character": 15}},
        }],
    }  # fmt: skip


def test_a_warning_does_not_fail_a_report():
    report = Report()
    report.add(Warned, None, word="x")
    report.close()
    report.add(codes.EmptyDocument, None)
    with pytest.raises(SpecError) as caught:
        report.close()
    assert [found.code.id for found in caught.value.diagnostics] == ["W999", "E113"]


def test_one_code_is_said_once_at_one_place():
    report = Report()
    for word in ("a", "b"):
        report.add(Warned, SOURCE.span(0, 3), word=word)
        report.add(Warned, None, word=word)
    assert [found.facts["word"] for found in report.diagnostics] == ["a", "a", "b"]


def test_a_fatal_one_raises_all_that_was_found():
    report = Report()
    report.add(Warned, None, word="x")
    with pytest.raises(SpecError) as caught:
        report.fatal(codes.EmptyDocument, None)
    assert len(caught.value.diagnostics) == 2
    assert str(caught.value) == render(caught.value.diagnostics)


def test_many_diagnostics_are_cut_and_counted():
    many = [Diagnostic(Warned, None, (), {"word": str(i)}) for i in range(LIMIT + 4_900)]
    text = render(many)
    assert text.count("warning[") == LIMIT
    assert text.endswith("... and 4,900 more")


def test_a_message_has_no_control_character_and_an_end():
    found = Diagnostic(Warned, None, (), {"word": "\x1b[2J\u202e" + "y" * 10_000, "hint": "a\rb"})
    assert found.message.isprintable()
    assert len(found.message) <= CROP
    assert found.hint == "a\\rb"
    source = Source("e\x1bvil.yaml", "a: \x1b[31m\t" + "z" * 5_000)
    text = Diagnostic(Warned, source.span(4_000, 4_900), (), {"word": "x"}).render()
    assert all(line.isprintable() and len(line) < 250 for line in text.split("\n"))


def test_a_fact_that_is_not_given_shows_as_a_question_mark():
    assert Diagnostic(Warned, None, (), {}).message == "`?` is odd"


def test_braces_in_a_fact_are_text():
    assert Diagnostic(Warned, None, (), {"word": "{0.__class__}"}).message == (
        "`{0.__class__}` is odd"
    )


def test_a_tab_is_as_wide_as_its_mark():
    source = Source("f", "a:\tb")
    assert Diagnostic(Warned, source.span(3, 4), (), {"word": "b"}).render().split("\n")[2:4] == [
        "  1 | a: b",
        "    |    ^",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "~"),
        (True, "true"),
        ({"a": 1}, "a mapping"),
        ([1, [2], "x"], "[1, a list, x]"),
        (list(range(9)), "a list of 9"),
        (10**100, "an integer of 333 bits"),
        ("\n", "\\n"),
        ("y" * 100, "y" * 77 + "..."),
        (1.5, "1.5"),
    ],
)
def test_a_value_is_shown_short_and_on_one_line(value, text):
    assert show(value) == text


def test_printable_escapes_what_a_terminal_acts_on():
    assert printable("plain é") == "plain é"
    assert printable("\x9b\u2028\u200b") == "\\x9b\\u2028\\u200b"


def test_crop_keeps_its_limit():
    assert crop("abcdef", 6) == "abcdef"
    assert crop("abcdefg", 6) == "abc..."


@pytest.mark.parametrize(
    ("word", "near"),
    [("kernal_size", "kernel_size"), ("KernelSize", "kernel_size"), ("zzz", ""), ("pads", "pad")],
)
def test_nearest_knows_misspelt_words(word, near):
    assert nearest(word, ["kernel_size", "pad", "stride"]) == near
