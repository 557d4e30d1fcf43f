"""The cost of `netspec check` as a whole process, beside what a user runs today."""

from __future__ import annotations

import importlib.util
import sys

from paired import PYTHON, compare

CHECK = "import sys; sys.argv = ['netspec', 'check', {!r}]; from netspec.cli import run; run()"
TORCHINFO = """
import torch
lib = torch.library.Library("torchvision", "DEF")
for name in ("nms", "qnms"):
    lib.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
import torchvision, torchinfo
with torch.device("meta"):
    model = torchvision.models.resnet152(weights=None)
print(torchinfo.summary(model, (1, 3, 224, 224), device="meta", verbose=0))
"""


def main(rounds: int) -> None:
    """Print the comparison."""
    commands = {
        "python -c pass": [PYTHON, "-c", "pass"],
        "python -c 'import yaml, argparse'": [PYTHON, "-c", "import yaml, argparse"],
        "netspec check zoo:lenet_caffe": [PYTHON, "-c", CHECK.format("zoo:lenet_caffe")],
        "netspec check zoo:resnet152": [PYTHON, "-c", CHECK.format("zoo:resnet152")],
    }
    compare(commands, rounds)
    if importlib.util.find_spec("torchvision") and importlib.util.find_spec("torchinfo"):
        print()
        peers = {
            "netspec check zoo:resnet152": commands["netspec check zoo:resnet152"],
            "torchvision + torchinfo, meta": [PYTHON, "-c", TORCHINFO],
        }
        compare(peers, max(3, rounds // 5))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
