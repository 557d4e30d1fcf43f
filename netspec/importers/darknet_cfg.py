"""Read darknet's files: a .cfg into sections with the place of every option, and .weights."""

from __future__ import annotations

import re
import sys
from array import array

from .. import codes
from ..diagnostics import Report, nearest, show
from ..text import Source, Span
from . import kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeVar

    T = TypeVar("T")

MAX_BYTES = 2**20
MAX_SECTIONS = 20_000
MAX_INT = 2**31 - 1  # darknet keeps every integer in a C int

_INT = re.compile(r"[+-]?[0-9]{1,20}")
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NET = ("net", "network")
_INPUT = ("height", "width", "channels")  # the options of [net] that shape the network


class Option:
    """One line `name=text` of a section."""

    __slots__ = ("name", "name_span", "span", "text")

    def __init__(self, name: str, text: str, name_span: Span, span: Span) -> None:
        self.name = name
        self.text = text
        self.name_span = name_span
        self.span = span


class Section:
    """One `[type]` and its options; where an option is given twice the first one counts."""

    __slots__ = ("options", "span", "type", "used")

    def __init__(self, type: str, span: Span) -> None:
        self.type = type
        self.span = span
        self.options: dict[str, Option] = {}
        self.used: set[str] = set()

    def option(self, name: str) -> Option | None:
        """Return the option `name`, and remember that it was asked for."""
        self.used.add(name)
        return self.options.get(name)

    def place(self, name: str) -> Span:
        """Return the place of the value of `name`, or of the section where it is absent."""
        option = self.options.get(name)
        return option.span if option else self.span

    def word(self, name: str, default: str) -> str:
        """Return the text of an option."""
        option = self.option(name)
        return option.text if option else default

    def integer(self, report: Report, name: str, default: int) -> int:
        """Return the whole number an option holds; the default where it is absent or wrong."""
        return self._one(report, name, default, _integer, "a whole number of 32 bits")

    def number(self, report: Report, name: str, default: float) -> float:
        """Return the number an option holds; the default where it is absent or wrong."""
        return self._one(report, name, default, _number, "a number")

    def integers(self, report: Report, name: str) -> list[int]:
        """Return the whole numbers of a list `1,2,3`; none where it is absent or wrong."""
        return self._many(report, name, _integer, "whole numbers separated by `,`")

    def numbers(self, report: Report, name: str) -> list[float]:
        """Return the numbers of a list `0.1,2`; none where it is absent or wrong."""
        return self._many(report, name, _number, "numbers separated by `,`")

    def refuse(self, report: Report, name: str, expected: str) -> None:
        """Note that the value of an option cannot be used."""
        option = self.options.get(name)
        text = option.text if option else ""
        report.add(
            codes.OptionValue,
            self.place(name),
            option=name,
            value=text,
            section=self.type,
            expected=expected,
        )

    def refuse_unused(self, report: Report, known: Iterable[str] = ()) -> None:
        """Note every option that was not asked for and is not in `known`."""
        known = self.used.union(known)
        for option in self.options.values():
            if option.name not in known:
                near = nearest(option.name, known)
                hint = f"did you mean `{near}`?" if near else ""
                report.add(
                    codes.OptionUnknown,
                    option.name_span,
                    option=option.name,
                    section=self.type,
                    hint=hint,
                )

    def _one(
        self, report: Report, name: str, default: T, read: Callable[[str], T | None], expected: str
    ) -> T:
        option = self.option(name)
        if option is None:
            return default
        if (value := read(option.text)) is None:
            self.refuse(report, name, expected)
            return default
        return value

    def _many(
        self, report: Report, name: str, read: Callable[[str], T | None], expected: str
    ) -> list[T]:
        option = self.option(name)
        if option is None:
            return []
        values: list[T] = []
        for item in option.text.split(","):
            if (value := read(item.strip())) is None:
                self.refuse(report, name, expected)
                return []
            values.append(value)
        return values


def decode(name: str, data: bytes) -> Source:
    """Return bytes as a source; bytes that are not UTF-8 become lone surrogates."""
    return kind.decode(name, data, MAX_BYTES, "a darknet cfg")


def parse(source: Source, report: Report) -> list[Section]:
    """Return the sections of a cfg, the first of them `[net]`; raise SpecError on wrong syntax."""
    sections: list[Section] = []
    start = 0
    for line in source.text.split("\n"):
        at, start = start, start + len(line) + 1
        text = line.partition("#")[0]
        at += len(text) - len(text.lstrip())
        text = text.strip()
        if not text or text[0] == ";":
            continue
        if text[0] == "[":
            sections.append(_section(source, at, text, report))
            if len(sections) > MAX_SECTIONS:
                report.fatal(
                    codes.CfgSyntax,
                    sections[-1].span,
                    problem=f"more than {MAX_SECTIONS:,} sections",
                )
        elif not sections:
            report.fatal(
                codes.CfgSyntax,
                source.span(at, at + len(text)),
                problem=f"expected `[net]` first, found `{show(text)}`",
            )
        else:
            _option(source, at, text, sections[-1], report)
    _check_net(source, sections, report)
    report.close()
    return sections


def _section(source: Source, at: int, text: str, report: Report) -> Section:
    span = source.span(at, at + len(text))
    type = text[1:-1].strip()
    if text[-1] != "]" or not type or not type.isprintable() or set(type) & set("[]="):
        report.add(codes.CfgSyntax, span, problem=f"`{show(text)}` is not a section `[type]`")
    return Section(type, span)


def _option(source: Source, at: int, line: str, section: Section, report: Report) -> None:
    span = source.span(at, at + len(line))
    name, equals, text = line.partition("=")
    if not equals or not name.strip():
        report.add(codes.CfgSyntax, span, problem=f"expected `name=value`, found `{show(line)}`")
        return
    start = at + len(name) + 1 + len(text) - len(text.lstrip())
    name, text = name.strip(), text.strip()
    name_span = source.span(at, at + len(name))
    option = Option(name, text, name_span, source.span(start, start + max(1, len(text))))
    if not text or not text.isprintable() or not name.isprintable():
        problem = f"`{show(name)}=` has no value" if not text else "unprintable characters"
        report.add(codes.CfgSyntax, option.span if text else span, problem=problem)
    if first := section.options.get(name):
        harmless = section.type in _NET and name not in _INPUT
        report.add(
            codes.OptionShadowed if harmless else codes.OptionTwice,
            name_span,
            [(first.name_span, "given first here")],
            option=name,
            section=section.type,
        )
        return
    section.options[name] = option


def _check_net(source: Source, sections: list[Section], report: Report) -> None:
    if not sections:
        report.fatal(codes.CfgSyntax, source.span(), problem="no sections")
    if sections[0].type not in _NET:
        report.add(
            codes.CfgSyntax,
            sections[0].span,
            problem=f"the first section must be `[net]`, not `[{show(sections[0].type)}]`",
        )
    for section in sections[1:]:
        if section.type in _NET:
            report.add(
                codes.CfgSyntax,
                section.span,
                [(sections[0].span, "the first section")],
                problem=f"`[{section.type}]` can only be the first section",
            )


def _integer(text: str) -> int | None:
    if not _INT.fullmatch(text):
        return None
    value = int(text)
    return value if -MAX_INT - 1 <= value <= MAX_INT else None


def _number(text: str) -> float | None:
    if not _FLOAT.fullmatch(text):
        return None
    value = float(text)
    return value if abs(value) != float("inf") else None


class Header:
    """The first bytes of a .weights file; `size` says how many they are."""

    __slots__ = ("major", "minor", "revision", "seen", "size")

    def __init__(self, major: int, minor: int, revision: int, seen: int, size: int) -> None:
        self.major = major
        self.minor = minor
        self.revision = revision
        self.seen = seen
        self.size = size


def weights_header(file: str, data: bytes | memoryview) -> Header:
    """Return the header of a .weights file; `seen` takes 8 bytes from version 0.2 on, else 4."""
    view = memoryview(data).cast("B")
    report = Report()
    if found := kind.of_binary(bytes(view[:4096])):
        report.fatal(codes.WrongKind, None, file=file, expected="darknet weights", found=found)
    if len(view) < 16:
        what = " for the header alone"
        report.fatal(codes.WeightsSize, None, file=file, found=len(view), expected=16, what=what)
    major, minor, revision = (
        int.from_bytes(view[at : at + 4], "little", signed=True) for at in (0, 4, 8)
    )
    if major != 0 or minor not in (0, 1, 2):
        report.fatal(codes.WeightsVersion, None, file=file, version=f"{major}.{minor}")
    size = 20 if minor == 2 else 16
    if len(view) < size:
        what = " for the header alone"
        report.fatal(codes.WeightsSize, None, file=file, found=len(view), expected=size, what=what)
    return Header(major, minor, revision, int.from_bytes(view[12:size], "little"), size)


def weights(
    file: str, data: bytes | memoryview, counts: Sequence[tuple[str, int]]
) -> list[memoryview[float]]:
    """Return one stretch of float32 values for each (layer, count), in file order.

    The file must hold exactly these values: none are returned where a byte is missing or left.
    """
    header = weights_header(file, data)
    view = memoryview(data).cast("B")
    expected = header.size + 4 * sum(count for _, count in counts)
    if len(view) != expected:
        Report().fatal(
            codes.WeightsSize,
            None,
            file=file,
            found=len(view),
            expected=expected,
            what=_misfit(header, len(view), expected, counts),
            hint=_hint(header, len(view) - expected),
        )
    stretches, at = [], header.size
    for _, count in counts:
        stretches.append(_floats(view[at : at + 4 * count]))
        at += 4 * count
    return stretches


def _misfit(header: Header, found: int, expected: int, counts: Sequence[tuple[str, int]]) -> str:
    if found > expected:
        return f": {found - expected} too many"
    at = header.size
    for layer, count in counts:
        if at + 4 * count > found:
            return f": they end in `{show(layer)}`, whose {count} values begin at byte {at}"
        at += 4 * count
    return ""


def _hint(header: Header, surplus: int) -> str:
    if abs(surplus) != 4:
        return "the weights are those of another network, or cut short"
    seen = header.size - 12
    return f"4 bytes more or less: version 0.{header.minor} counts images in {seen} bytes"


def _floats(stretch: memoryview) -> memoryview[float]:
    if sys.byteorder == "little":
        return stretch.cast("f")
    values = array("f", bytes(stretch))
    values.byteswap()
    return memoryview(values)
