"""How a drawing looks: colours by family, shapes by kind, and the fonts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .picture import Box

# Okabe and Ito's colours, told apart with every common colour blindness, as lines; tints of them
# as fills, light enough to print under black text: https://jfly.uni-koeln.de/color/
FAMILIES = {
    "convolution": ("#D9EAF7", "#0072B2"),
    "dense": ("#FBE7C6", "#C27C00"),
    "embedding": ("#FBE7C6", "#C27C00"),
    "activation": ("#FBF7CF", "#B3A100"),
    "pooling": ("#D5EFE6", "#009E73"),
    "normalisation": ("#F6E2EE", "#B8578F"),
    "regularisation": ("#F6E2EE", "#B8578F"),
    "merge": ("#E3F4FC", "#3A9BCB"),
    "recurrent": ("#E6E0F3", "#6A51A3"),
    "attention": ("#E6E0F3", "#6A51A3"),
    "graph": ("#E6E0F3", "#6A51A3"),
    "detection": ("#FADFD1", "#D55E00"),
    "loss": ("#FADFD1", "#D55E00"),
    "shape": ("#EDEDED", "#7A7A7A"),
    "structure": ("#EDEDED", "#7A7A7A"),
    "data": ("#FFFFFF", "#000000"),
    "block": ("#F2F2F2", "#333333"),
    "other": ("#FFFFFF", "#7A7A7A"),
}
SHAPES = {"input": "ellipse", "output": "ellipse", "layer": "box", "block": "box3d"}
FONT = "Helvetica,Arial,sans-serif"
GRAPH = {
    "fontname": FONT,
    "fontsize": "13",
    "labelloc": "t",
    "nodesep": "0.35",
    "ranksep": "0.3",
    "pad": "0.15",
    "bgcolor": "white",
}
NODE = {
    "fontname": FONT,
    "fontsize": "11",
    "height": "0.3",
    "margin": "0.14,0.06",
    "style": "rounded,filled",
}
EDGE = {
    "fontname": FONT,
    "fontsize": "9",
    "fontcolor": "#444444",
    "color": "#555555",
    "arrowsize": "0.7",
}
CLUSTER = {
    "style": "rounded,filled",
    "color": "#BBBBBB",
    "fontsize": "10",
    "fontcolor": "#555555",
    "labeljust": "l",
    "margin": "10",
}
NESTED = ("#F8F8F8", "#F1F1F1", "#EAEAEA")  # fills of blocks in blocks


def family(box: Box) -> str:
    """Return the name of the colours of a box."""
    return box.family if box.family in FAMILIES else "other"
