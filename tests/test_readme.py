"""The specs of the pages are checked, their commands are run, and the output is theirs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"```(yaml|console)\n(.*?)```\n", re.DOTALL)


def outputs(page: str, folder: Path) -> str:
    """Return a page with the output of every command under it, as it is now."""
    text = (ROOT / page).read_text(encoding="utf-8")

    def renewed(match: re.Match[str]) -> str:
        kind, body = match.groups()
        if kind == "yaml":
            if name := re.match(r"# (\S+\.yaml)\n", body):
                (folder / name[1]).write_text(body, encoding="utf-8")
            return match[0]
        commands = [line for line in body.splitlines() if line.startswith("$ ")]
        shown = "\n".join(f"{command}\n{run(command[2:], folder)}" for command in commands)
        return f"```console\n{shown}```\n"

    return BLOCK.sub(renewed, text)


def run(command: str, folder: Path) -> str:
    program, *arguments = command.split()
    assert program == "netspec"
    path = os.pathsep.join([str(ROOT), str(ROOT / "backends")])
    environment = os.environ | {"PYTHONPATH": path, "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "netspec", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("page", ["README.md", "docs/course.md"])
def test_the_page_shows_what_the_commands_print(page, tmp_path):
    found = outputs(page, tmp_path)
    if os.environ.get("NETSPEC_BLESS"):
        (ROOT / page).write_text(found, encoding="utf-8")
    assert found == (ROOT / page).read_text(encoding="utf-8")
