"""How many numbers darknet keeps for a cfg, and how many its last layer makes, counted its way.

Written after parser.c and the make_*_layer functions of AlexeyAB/darknet; shares no code with the
importer.
"""

from __future__ import annotations

from math import prod
from pathlib import Path

Options = dict[str, str]
PASSING = (
    "shortcut", "dropout", "softmax", "yolo", "region", "detection", "cost", "Gaussian_yolo",
    "contrastive", "activation", "empty",
)  # fmt: skip


def sections(path: Path) -> list[tuple[str, Options]]:
    """Return the sections of a cfg; of an option that is given twice the first counts."""
    found: list[tuple[str, Options]] = []
    for line in path.read_text(encoding="latin1").splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("["):
            found.append((text[1:-1].strip(), {}))
        elif text and text[0] != ";":
            name, _, value = text.partition("=")
            found[-1][1].setdefault(name.strip(), value.strip())
    return found


def filters(inputs: int, outputs: int, size: int, groups: int, norm: int) -> int:
    """Return the numbers of a convolution."""
    return inputs // groups * outputs * size * size + outputs * (4 if norm else 1)


def matrix(inputs: int, outputs: int, norm: int) -> int:
    """Return the numbers of a connected layer."""
    return inputs * outputs + outputs * (4 if norm else 1)


def counts(path: Path) -> tuple[int, int]:
    """Return how many numbers a .weights file holds, and how many the last layer makes."""
    (_, net), *layers = sections(path)
    shape = [int(net.get(key, 0)) for key in ("channels", "height", "width")]
    numbers = int(net.get("inputs", prod(shape)))
    total = 0
    made: list[tuple[list[int], int]] = []
    for index, (kind, options) in enumerate(layers):

        def get(name: str, default: int = 0, options: Options = options) -> int:
            return int(options.get(name, default))

        c, h, w = shape
        norm, stride = get("batch_normalize"), get("stride", 1)
        outputs, hidden = get("output", 1), get("hidden", 1)
        if kind in ("convolutional", "conv"):
            count, size = get("filters", 1), get("size", 1)
            pad = size // 2 if get("pad") else get("padding")
            if "share_index" not in options:
                total += filters(c, count, size, get("groups", 1), norm)
            shape = [count, *((side + 2 * pad - size) // stride + 1 for side in (h, w))]
        elif kind in ("connected", "conn"):
            total += matrix(numbers, outputs, norm)
            shape = [outputs, 1, 1]
        elif kind == "batchnorm":
            total += 4 * c
        elif kind in ("maxpool", "max", "local_avgpool", "local_avg"):
            size = get("size", stride)
            room = get("padding", size - 1) - size
            shape = [c, *((side + room) // stride + 1 for side in (h, w))]
        elif kind in ("avgpool", "avg"):
            shape = [c, 1, 1]
        elif kind == "upsample":
            shape = [c, h * get("stride", 2), w * get("stride", 2)]
        elif kind in ("reorg", "reorg3d") and "extra" not in options:
            shape = [c * stride * stride, h // stride, w // stride]
        elif kind == "reorg":
            numbers, shape = numbers + get("extra"), [0, 0, 0]
        elif kind == "route":
            taken = [made[each] for each in map(int, options["layers"].split(","))]
            channels = sum(blob[0] for blob, _ in taken) // get("groups", 1)
            shape = [channels, *taken[0][0][1:]]
        elif kind in ("scale_channels", "sam"):
            shape = made[get("from")][0]
        elif kind == "crop":
            shape = [c, get("crop_height"), get("crop_width")]
        elif kind == "local":
            count, size = get("filters", 1), get("size", 1)
            first = 1 if get("pad") else size
            sides = [(side - first) // stride + 1 for side in (h, w)]
            total += prod(sides) * (count + c * count * size * size)
            shape = [count, *sides]
        elif kind == "rnn":
            total += matrix(numbers, hidden, norm) + matrix(hidden, hidden, norm)
            total += matrix(hidden, outputs, norm)
            shape = [outputs, 1, 1]
        elif kind == "crnn":
            size = get("size", 3)
            total += filters(c, hidden, size, 1, norm) + filters(hidden, hidden, size, 1, norm)
            total += filters(hidden, outputs, size, 1, norm)
            shape = [outputs, h, w]
        elif kind in ("gru", "lstm"):
            gates = 3 if kind == "gru" else 4
            total += gates * (matrix(numbers, outputs, norm) + matrix(outputs, outputs, norm))
            shape = [outputs, 1, 1]
        elif kind not in PASSING:
            raise ValueError(f"{path}: section {index}: [{kind}]")
        numbers = prod(shape) or numbers
        made.append((shape, numbers))
    return total, numbers
