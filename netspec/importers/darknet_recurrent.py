"""Read darknet's recurrent sections: the part that sees the input, and the part that goes on.

Source: AlexeyAB/darknet, src/{rnn,crnn,gru,lstm}_layer.c. A batch holds all streams at step 0, then
all at step 1. What comes of the input, and what is made of the state, are layers over all rows;
Recurrence is what lies between. Where they are normalised darknet does so at each step by itself
when it trains; the layers over all rows take the steps together.
"""

from __future__ import annotations

from .darknet_document import Stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .darknet_sections import Reading

FRACTION = 0.99  # of a running average that a step keeps

# activation: that of Recurrence, and its slope below 0
ACTIVATIONS = {
    "leaky": ("RELU", 0.1), "relu": ("RELU", 0.0), "linear": ("LINEAR", 0.0),
    "logistic": ("SIGMOID", 0.0), "tanh": ("TANH", 0.0),
}  # fmt: skip


def rnn(reading: Reading) -> None:
    """Add products: of the input, of the state, and of the new state."""
    hidden, outputs = reading.integer("hidden", 1), reading.integer("output", 1)
    blob = reading.dense("in", reading.last, hidden, mark="in_")
    blob = reading.activated(blob, "logistic", "in_")
    blob = elman(reading, blob, {}, "logistic" if reading.integer("logistic", 0) else "")
    blob = reading.dense("out", blob, outputs, mark="out_")
    reading.made.append(reading.activated(blob, "logistic", "out_"))


def crnn(reading: Reading) -> None:
    """Add convolutions: of the input, of the state, and of the new state."""
    size = reading.integer("size", 3)
    if reading.integer("stride", 1) != 1:
        reading.section.refuse(reading.report, "stride", "1: the state keeps its extents")
    if size > 1 and not reading.integer("pad", 0) and reading.integer("padding", 0) != size // 2:
        reading.section.refuse(reading.report, "pad", "1: the state keeps its extents")
    reading.refuse_set("xnor", "binary")
    for name in ("groups", "dilation"):
        if reading.integer(name, 1) != 1:
            reading.section.refuse(reading.report, name, "1: the state is filtered without")
    hidden, outputs = reading.integer("hidden", 1), reading.integer("output", 1)
    blob = reading.filtered("in", reading.last, hidden, "hidden", "in_", 3)
    blob = reading.activated(blob, "logistic", "in_")
    blob = elman(reading, blob, {"kernel_size": size}, "")
    blob = reading.filtered("out", blob, outputs, "output", "out_", 3)
    reading.made.append(reading.activated(blob, "logistic", "out_"))


def elman(reading: Reading, blob: str, params: dict[str, Any], fixed: str) -> str:
    """Add what goes from step to step in an RNN; return its top."""
    word = fixed or reading.section.word("activation", "logistic")
    if word not in ACTIVATIONS:
        reading.section.refuse(reading.report, "activation", f"one of {', '.join(ACTIVATIONS)}")
        return blob
    kind, slope = ACTIVATIONS[word]
    params = params | {"activation": kind}
    if slope:
        params["negative_slope"] = slope
    if reading.integer("shortcut", 0):
        params["shortcut"] = True
    return cells(reading, blob, "RNN", params, 1)


def gru(reading: Reading) -> None:
    """Add the products of the input for z, r and h, and the cells."""
    blob = reading.dense("in", reading.last, reading.integer("output", 1), 3, mark="in_")
    activation = "TANH" if reading.integer("tanh", 0) else "SIGMOID"
    reading.made.append(cells(reading, blob, "GRU", {"activation": activation}, 3))


def lstm(reading: Reading) -> None:
    """Add the products of the input for f, i, g and o, and the cells, whose weights come first."""
    order, before = reading.document.order, len(reading.document.order)
    blob = reading.dense("in", reading.last, reading.integer("output", 1), 4, mark="in_")
    inputs = order[before:]
    del order[before:]
    reading.made.append(cells(reading, blob, "LSTM", {}, 4))
    order += inputs


def cells(reading: Reading, blob: str, cell: str, params: dict[str, Any], gates: int) -> str:
    """Add the cells, and their weights to those of the file; return their top."""
    normed: dict[str, Any] = {}
    norm: tuple[str, ...] = ()
    if reading.integer("batch_normalize", 0):
        normed = {"batch_normalize": True, "moving_average_fraction": FRACTION}
        norm = ("factor_hh", "running_mean", "running_var")
    steps = {"time_steps": reading.steps} if reading.steps > 1 else {}
    given = ({"cell": cell} if cell != "RNN" else {}) | steps | params | normed
    made = reading.add("state", "Recurrence", [blob], {"recurrence_param": given})
    if found := reading.extents.get(blob):
        reading.extents[made] = (found[0] // gates, *found[1:])
    names = ("bias_hh", *norm, "weight_hh") if "kernel_size" in params else (
        "bias_hh", "weight_hh", *norm
    )  # fmt: skip
    order = reading.document.order
    order += [Stored(made, names, part, gates) for part in range(gates)]
    return made


READERS = {"rnn": rnn, "crnn": crnn, "gru": gru, "lstm": lstm}
