"""Tell from its first bytes what a file really is, and read it as text where it is text."""

from __future__ import annotations

from .. import codes
from ..diagnostics import Report
from ..text import Source

_MAGIC = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"PK\x03\x04", "a zip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"%PDF-", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"version https://git-lfs", "a git-lfs pointer, not the file it stands for"),
)
_HTML = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")


def decode(name: str, data: bytes, limit: int, expected: str) -> Source:
    """Return bytes as a source; bytes that are not UTF-8 become lone surrogates.

    Raises SpecError where there are more than `limit`, or they are not the text `expected`.
    """
    report = Report()
    if len(data) > limit:
        report.fatal(codes.FileTooLarge, None, limit=f"{limit:,}")
    if found := of_text(data):
        report.fatal(codes.WrongKind, None, file=name, expected=expected, found=found)
    return Source(name, data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape"))


def of_content(data: bytes) -> str:
    """Return what `data` looks like where that is certain, else nothing."""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data[:512].lstrip().lower().startswith(_HTML):
        return "an HTML page"
    return ""


def of_text(data: bytes) -> str:
    """Return what `data`, which should be text, looks like; nothing where it may be text."""
    if kind := of_content(data):
        return kind
    head = data[:4096]
    controls = sum(byte < 9 or 13 < byte < 32 for byte in head)
    return "binary data" if 0 in head and controls > max(8, len(head) // 20) else ""


def of_binary(data: bytes) -> str:
    """Return what `data`, which should be binary, looks like; nothing where it may be."""
    if kind := of_content(data):
        return kind
    head = data[:512]
    is_text = head and all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head)
    return "text" if is_text else ""
