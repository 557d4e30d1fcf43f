"""Read a darknet cfg as a spec, and the .weights that belong to it."""

from __future__ import annotations

from math import prod

from .. import codes
from . import darknet_cfg
from .caffe_weights import Fit
from .darknet_document import DarknetDocument
from .darknet_sections import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..diagnostics import Report
    from ..net import Net


def read(
    name: str, raw: bytes, report: Report, shapes: Mapping[str, Sequence[Any]] | None = None
) -> DarknetDocument:
    """Return the spec of a cfg; `shapes` may give that of its input, `data`."""
    source = darknet_cfg.decode(name, raw)
    head, *sections = darknet_cfg.parse(source, report)
    document = DarknetDocument(source, head)
    Reading(document, report).net(sections, (shapes or {}).get("data"))
    report.close()
    return document


def weights(net: Net, path: str, data: bytes) -> Fit:
    """Return the arrays of a net out of a .weights file, which must hold exactly these."""
    import numpy

    document = net.spec.document
    if not isinstance(document, DarknetDocument):
        from ..diagnostics import Report

        Report().fatal(
            codes.WeightsMisfit, None, file=path,
            misfits="darknet weights have no names: they fit the cfg they belong to",
        )  # fmt: skip
    shapes = {
        f"{node.name}.{weight.name}": weight.shape
        for node in net.flat.nodes
        for weight in (*node.weights, *node.state)
    }
    pieces = [
        (_key(shapes, stored.layer, name), stored.part, stored.parts)
        for stored in document.order
        for name in stored.names
    ]
    counts = [(key, prod(shapes[key]) // parts) for key, _, parts in pieces]
    stretches = darknet_cfg.weights(path, data, counts)
    found = Fit()
    for (key, part, parts), stretch in zip(pieces, stretches, strict=True):
        flat = numpy.frombuffer(stretch.cast("B"), numpy.float32)
        if parts == 1:
            found.arrays[key] = flat.reshape(shapes[key])
            continue
        if part == 0:
            found.arrays[key] = numpy.empty(shapes[key], numpy.float32)
        found.arrays[key].reshape(parts, -1)[part] = flat
    found.fitted = list(dict.fromkeys(stored.layer for stored in document.order))
    return found


def _key(shapes: Mapping[str, Any], layer: str, name: str) -> str:
    """Return the key of a weight: another one where it is computed from what is stored."""
    key = f"{layer}.{name}"
    return key if key in shapes else f"{layer}.parametrizations.{name}.original"
