"""The readers of darknet's .cfg and .weights."""

from __future__ import annotations

import json
import os
import random
import struct
from pathlib import Path

import pytest

from netspec.diagnostics import Report, SpecError
from netspec.importers import darknet_cfg

CORPUS = Path(os.environ.get("NETSPEC_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))

CFG = """\
# tiny
[net]
batch=1
batch=64
height = 416

[convolutional]
filters=16 # 32
stride= 2
activation=leaky
; a comment
[route]
layers = -1, 4
[region]
anchors=0.5,1,.25e1
"""


def parse(text: str | bytes) -> tuple[list[darknet_cfg.Section], Report]:
    data = text.encode() if isinstance(text, str) else text
    report = Report()
    return darknet_cfg.parse(darknet_cfg.decode("n.cfg", data), report), report


def refused(text: str | bytes) -> str:
    with pytest.raises(SpecError) as caught:
        parse(text)
    return "\n".join(str(found) for found in caught.value.diagnostics)


def section(option: str) -> darknet_cfg.Section:
    return parse(f"[net]\n{option}")[0][0]


def test_sections() -> None:
    sections, report = parse(CFG)
    assert [entry.type for entry in sections] == ["net", "convolutional", "route", "region"]
    net, conv, route, region = sections
    assert net.integer(report, "batch", 1) == 1  # the first one, as in darknet
    assert net.integer(report, "height", 0) == 416
    assert conv.integer(report, "filters", 1) == 16
    assert conv.integer(report, "pad", 7) == 7
    assert conv.word("activation", "logistic") == "leaky"
    assert route.integers(report, "layers") == [-1, 4]
    assert region.numbers(report, "anchors") == [0.5, 1.0, 2.5]
    (found,) = report.diagnostics
    assert str(found).startswith("n.cfg:4:1: warning[W621]: the option `batch` of `[net]`")


def test_spans() -> None:
    sections, _ = parse(CFG)
    conv = sections[1]
    assert str(conv.span) == "n.cfg:7:1" and conv.span.text == "[convolutional]"
    assert str(conv.place("stride")) == "n.cfg:9:9" and conv.place("stride").text == "2"
    assert conv.place("filters").text == "16"
    assert conv.options["filters"].name_span.text == "filters"
    assert conv.place("nothing") == conv.span


def test_windows_line_ends() -> None:
    plain, _ = parse(CFG)
    windows, _ = parse(b"\xef\xbb\xbf" + CFG.replace("\n", "\r\n").encode())
    for one, other in zip(plain, windows, strict=True):
        assert str(one.span) == str(other.span)
        assert [o.text for o in one.options.values()] == [o.text for o in other.options.values()]


def test_unused_options() -> None:
    report = Report()
    conv = parse("[net]\n[convolutional]\nfilters=1\nstrid=2\nonly_forward=1")[0][1]
    conv.integer(report, "filters", 1)
    conv.integer(report, "stride", 1)
    conv.refuse_unused(report, ["only_forward"])
    (found,) = report.diagnostics
    assert str(found) == "n.cfg:4:1: error[E623]: `[convolutional]` has no option `strid`"
    assert found.hint == "did you mean `stride`?"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "n.cfg:1:1: error[E620]: no sections"),
        ("filters=1\n[net]", "1:1: error[E620]: expected `[net]` first, found `filters=1`"),
        ("[", "1:1: error[E620]: `[` is not a section `[type]`"),
        ("[net]\n []", "2:2: error[E620]: `[]` is not a section `[type]`"),
        ("[net", "1:1: error[E620]: `[net` is not a section"),
        ("[convolutional]", "the first section must be `[net]`, not `[convolutional]`"),
        ("[net]\n[maxpool]\n[net]", "3:1: error[E620]: `[net]` can only be the first section"),
        ("[net]\nfilters=", "2:1: error[E620]: `filters=` has no value"),
        ("[net]\n filters = # 3", "2:2: error[E620]: `filters=` has no value"),
        ("[net]\n=3", "2:1: error[E620]: expected `name=value`, found `=3`"),
        ("[net]\nfilters 3", "2:1: error[E620]: expected `name=value`, found `filters 3`"),
        ("[net]\na=\x1b[0m", "2:3: error[E620]: unprintable characters"),
        ("[net]\na=1\0", "2:3: error[E620]: unprintable characters"),
        ("[net]\nheight=1\nheight=2", "3:1: error[E621]: the option `height` of `[net]` is given"),
        ("[net]\n[crop]\na=1\na=1", "4:1: error[E621]: the option `a` of `[crop]` is given twice"),
        ("[net]\n" + "[a]\n" * 30_000, "error[E620]: more than 20,000 sections"),
        ("[a]\n" * 1_000_000, "error[E103]"),
        (
            b"\x89PNG\r\n\x1a\n",
            "error[E602]: n.cfg is not a darknet cfg: it looks like a PNG image",
        ),
    ],
)
def test_refused(text: str | bytes, message: str) -> None:
    assert message in refused(text)


@pytest.mark.parametrize(
    ("option", "read"),
    [
        ("stride=2147483648", "integer"),
        ("stride=2.5", "integer"),
        ("stride=1_0", "integer"),
        ("stride=" + "9" * 5_000, "integer"),
        ("stride=nan", "number"),
        ("stride=1e999", "number"),
        ("stride=-1,,3", "integers"),
        ("stride=1,2,", "integers"),
        ("stride=1 2", "numbers"),
    ],
)
def test_wrong_values(option: str, read: str) -> None:
    report = Report()
    default = () if read.endswith("s") else (5,)
    assert getattr(section(option), read)(report, "stride", *default) in (5, [])
    (found,) = report.diagnostics
    assert str(found).startswith("n.cfg:2:8: error[E622]: `stride=")


def test_damage_is_refused_or_read() -> None:
    chance = random.Random(5)
    for _ in range(2_000):
        text = list(CFG)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(text))
            text[at : at + chance.randint(0, 3)] = chance.choice("[]=#;\n\r\0 é,-9\udcff")
        data = "".join(text).encode("utf-8", "surrogateescape")
        try:
            sections, report = parse(data)
        except SpecError as error:
            str(error).encode()
            continue
        for entry in sections:
            for name in entry.options:
                entry.integers(report, name)


def test_corpus() -> None:
    if not CORPUS.is_dir():
        pytest.skip(f"no corpus at {CORPUS}")
    rows = json.loads((CORPUS / "index.json").read_text())
    files = [row for row in rows if row["format"] == "darknet"]
    assert len(files) > 100
    for row in files:
        sections, _ = parse((CORPUS / row["file"]).read_bytes())
        assert len(sections) - 1 in (row["layers"], row["layers"] - 1)


def weights(minor: int, *values: float) -> bytes:
    seen = struct.pack("<q" if minor == 2 else "<i", 32013312)
    return struct.pack("<3i", 0, minor, 5) + seen + struct.pack(f"<{len(values)}f", *values)


@pytest.mark.parametrize("minor", [0, 1, 2])
def test_weights(minor: int) -> None:
    data = weights(minor, 1, 2, 3)
    header = darknet_cfg.weights_header("w", data)
    assert (header.minor, header.revision, header.seen) == (minor, 5, 32013312)
    first, second = darknet_cfg.weights("w", data, [("a", 1), ("b", 2)])
    assert list(first) == [1] and list(second) == [2, 3]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "error[E614]: w has 0 bytes, and 16 are expected for the header alone"),
        (weights(2)[:19], "w has 19 bytes, and 20 are expected for the header alone"),
        (weights(2, 1, 2), "w has 28 bytes, and 32 are expected: they end in `b`, whose 2 values"),
        (weights(2, 1, 2, 3, 4), "w has 36 bytes, and 32 are expected: 4 too many"),
        (weights(2, 1, 2, 3)[:-1], "begin at byte 24"),
        (weights(2, 1, 2, 3) + b"\0", "1 too many"),
        (
            b"\x63" + weights(2, 1, 2, 3)[1:],
            "error[E615]: w says it is darknet weights of version 99.2",
        ),
        (b"[net]\nheight=416\n", "error[E602]: w is not darknet weights: it looks like text"),
    ],
)
def test_weights_refused(data: bytes, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        darknet_cfg.weights("w", data, [("a", 1), ("b", 2)])
    assert message in str(caught.value.diagnostics[0])


def test_four_bytes_have_a_hint() -> None:
    with pytest.raises(SpecError) as caught:
        darknet_cfg.weights("w", weights(1, 1, 2), [("a", 1)])
    assert "counts images in 4 bytes" in caught.value.diagnostics[0].hint
