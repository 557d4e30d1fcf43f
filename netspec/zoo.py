"""The shipped specs: where they are, and what `zoo:name` means."""

from __future__ import annotations

import os

from . import codes
from .diagnostics import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .diagnostics import Report


def folder() -> str:
    """Return the folder of the shipped specs: beside the package, or inside an installed one."""
    package = os.path.dirname(os.path.abspath(__file__))
    beside = os.path.join(os.path.dirname(package), "specs")
    return beside if os.path.isdir(beside) else os.path.join(package, "specs")


def files() -> list[str]:
    """Return the shipped spec files by name, sorted."""
    return sorted(file for file in os.listdir(folder()) if file.endswith(".yaml"))


def find(name: str, report: Report) -> tuple[str, str | None]:
    """Return the file of a `zoo:` name, and the scale where the name is that of a scale."""
    wanted = name.removeprefix("zoo:")
    where = folder()
    if f"{wanted}.yaml" in files():
        return os.path.join(where, f"{wanted}.yaml"), None
    for file in files():
        if wanted in scales(os.path.join(where, file)):
            return os.path.join(where, file), wanted
    known = [file.removesuffix(".yaml") for file in files()]
    known += [scale for file in files() for scale in scales(os.path.join(where, file))]
    near = nearest(wanted, known)
    report.fatal(
        codes.UnreadableFile, None, file=name, reason="no shipped spec has this name",
        hint=f"did you mean `zoo:{near}`?" if near else "`netspec zoo` lists them",
    )  # fmt: skip


def scales(path: str) -> list[str]:
    """Return the names of a shipped spec's scales, read from its text without parsing it."""
    with open(path, encoding="utf-8") as handle:
        text = handle.read()
    found: list[str] = []
    inside = False
    for line in text.split("\n"):
        if not inside:
            inside = line.startswith("scales:")
        elif line[:1] not in (" ", "", "#"):
            break
        else:
            key, colon, _ = line.strip().partition(":")
            if colon and line.startswith("  ") and line[2] not in " #":
                found.append(key.strip("\"'"))
    return found
