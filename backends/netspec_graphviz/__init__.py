"""Drawings of a net: DOT and Mermaid text, and SVG, PNG and PDF by Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netspec import codes
from netspec.diagnostics import Report

from .dot import dot as dot
from .dot import write as write_dot
from .mermaid import EDGES
from .mermaid import mermaid as mermaid
from .mermaid import write as write_mermaid
from .picture import automatic_depth, picture
from .render import render as render

if TYPE_CHECKING:
    from collections.abc import Callable

    from netspec.net import Net

__all__ = ["FORMATS", "backend", "dot", "draw", "mermaid", "render"]

FORMATS = ("dot", "svg", "png", "pdf", "mmd")
LARGEST = 2_000  # nodes Graphviz is asked to lay out

backend = dot


def draw(
    net: Net,
    format: str = "dot",
    depth: int | None = None,
    direction: str = "TB",
    note: Callable[[str], None] | None = None,
) -> str | bytes:
    """Return a drawing of a net: text for dot and mmd, bytes for svg, png and pdf.

    `note` is called with what a reader of the drawing should know. Raises SpecError where
    Graphviz is missing or cannot draw it.
    """
    shown = picture(net, depth)
    folded = automatic_depth(net) if depth is None else None
    if note and folded is not None:
        note(
            f"{len(net.flat.nodes):,} layers are drawn as {len(shown.boxes):,} nodes, "
            f"folded to --depth {folded}; give --depth for more or less"
        )
    if format == "mmd":
        if note and len(shown.wires) > EDGES:
            note(f"{len(shown.wires):,} edges: Mermaid draws {EDGES} by default; fold with --depth")
        return write_mermaid(shown, direction)
    text = write_dot(shown, direction)
    if format == "dot":
        return text
    if len(shown.boxes) > LARGEST:
        Report().fatal(
            codes.DrawingFailed,
            None,
            reason=f"{len(shown.boxes):,} nodes are more than {LARGEST:,}",
            hint="fold blocks with --depth, or write .dot",
        )
    return render(text, format)
