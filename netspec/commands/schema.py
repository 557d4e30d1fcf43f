"""netspec schema: the JSON Schema that gives editors completion and checking.

A spec asks for it in its first line: `# yaml-language-server: $schema=netspec.schema.json`.

examples:
  netspec schema -o netspec.schema.json
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def arguments(parser: ArgumentParser) -> None:
    """Declare the options of `netspec schema`."""
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write it; stdout else")


def run(options: Namespace) -> int:
    """Print or write the schema."""
    text = schema_text()
    if options.output is None:
        sys.stdout.write(text)
    else:
        from ..output import atomic_write

        atomic_write(options.output, text, force=True)  # it is generated: the new one is right
    return 0


def schema_text() -> str:
    """Return the editor schema as it is committed."""
    import json

    from ..schema import editor_schema

    return json.dumps(editor_schema(), indent=1, ensure_ascii=False) + "\n"
