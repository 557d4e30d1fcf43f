from __future__ import annotations

import pytest

from netspec.text import Source, Span

TEXT = "ab\ncd\r\n\U0001d11eéf\n"


@pytest.mark.parametrize(
    ("offset", "place"),
    [(0, (0, 0)), (2, (0, 2)), (3, (1, 0)), (7, (2, 0)), (9, (2, 2)), (11, (3, 0)), (99, (3, 0))],
)
def test_position_counts_lines_and_code_points_from_zero(offset, place):
    assert Source("f", TEXT).position(offset) == place


def test_a_line_has_no_break():
    source = Source("f", TEXT)
    assert [source.line(number) for number in range(4)] == ["ab", "cd", "\U0001d11eéf", ""]


def test_an_empty_text_has_one_line():
    assert Source("f", "").position(5) == (0, 0)
    assert Source("f", "").line(0) == ""


def test_a_span_says_where_it_is_from_one():
    assert str(Source("net.yaml", TEXT).span(3, 5)) == "net.yaml:2:1"
    assert Source("net.yaml", TEXT).span(3, 5).text == "cd"


def test_a_span_without_end_is_one_character_and_none_ends_before_it_starts():
    assert Source("f", TEXT).span(3).text == "c"
    assert Span(Source("f", TEXT), 4, 1).end == 4


def test_editors_count_utf16_units():
    span = Source("f", TEXT).span(8, 9)
    assert span.as_lsp() == {
        "start": {"line": 2, "character": 2},
        "end": {"line": 2, "character": 3},
    }


def test_spans_are_equal_where_source_and_ends_are():
    source = Source("f", TEXT)
    assert source.span(1, 2) == source.span(1, 2)
    assert hash(source.span(1, 2)) == hash(source.span(1, 2))
    assert source.span(1, 2) != source.span(1, 3)
    assert source.span(1, 2) != Source("f", TEXT).span(1, 2)
    assert source.span(1, 2) != 3
