"""The README's specs are checked, its commands are run, and its output is theirs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"```(yaml|console)\n(.*?)```\n", re.DOTALL)


def outputs(folder: Path) -> str:
    """Return the README with the output of every command under it, as it is now."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")

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


def test_the_readme_shows_what_the_commands_print(tmp_path):
    found = outputs(tmp_path)
    if os.environ.get("NETSPEC_BLESS"):
        (ROOT / "README.md").write_text(found, encoding="utf-8")
    assert found == (ROOT / "README.md").read_text(encoding="utf-8")
