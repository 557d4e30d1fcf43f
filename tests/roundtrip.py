"""What two nets must share to be one net: layers, params, wiring, shapes, weights."""

from __future__ import annotations

from typing import Any

import netspec
from netspec.importers.caffe_tidy import PER_AXIS


def facts(net: netspec.Net, fillers: bool = True) -> list[Any]:
    """Return everything that two equal nets have in common, in order."""
    numbers: dict[int, int] = {}
    for value in net.flat.inputs.values():
        numbers[id(value)] = len(numbers)
    found: list[Any] = [[name, str(blob)] for name, blob in net.inputs.items()]
    for node in net.flat.nodes:
        for value in node.tops:
            numbers[id(value)] = len(numbers)
    for node in net.flat.nodes:
        layer = node.layer
        params = {
            name: PER_AXIS.get(name)
            if getattr(layer, name) is None and declared.kind == "PerAxis"
            else shown(getattr(layer, name))
            for name, declared in layer.params.items()
            if declared.kind not in ("Filler", "Fillers")
        }
        found.append([
            node.name, node.type, params,
            [numbers.get(id(value)) for value in node.bottoms],
            [(value.name, str(value.blob)) for value in node.tops],
            [(w.name, w.shape, w.lr_mult, w.decay_mult, w.owner and (w.owner[0].name, w.owner[1]))
             for w in node.weights],
            [(w.name, w.shape) for w in node.state],
            [filled(w.filler) for w in node.weights],
            node.entry.get("loss_weight", 1 if layer.loss else 0),
            node.entry.get("propagate_down"),
            node.in_place,
        ])  # fmt: skip
    return [*found, sorted(net.outputs), net.params.total]


def filled(filler: Any) -> Any:
    """Return a filler with its defaults written out, those that its type reads."""
    if filler is None:
        return None
    kind = filler.get("type", "constant")
    reads = {
        "constant": {"value": 0}, "uniform": {"min": 0, "max": 1},
        "gaussian": {"mean": 0, "std": 1, "sparse": -1}, "xavier": {"variance_norm": "FAN_IN"},
        "msra": {"variance_norm": "FAN_IN"},
    }.get(kind, {})  # fmt: skip
    return kind, {key: filler.get(key, default) for key, default in reads.items()}


def shown(value: Any) -> Any:
    """Return a param as both forms of a repeated field have it."""
    if isinstance(value, list | tuple):
        return [shown(item) for item in value] if len(value) != 1 else shown(value[0])
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    return value
