"""`netspec check` of flat specs of 1,000 to 100,000 layers: is it linear, what does one cost."""

from __future__ import annotations

import os
import tempfile

from paired import PYTHON, cpu

CHECK = "import sys; sys.argv = ['netspec', 'check', {!r}]; from netspec.cli import run; run()"


def spec(layers: int) -> str:
    """Return a residual net of so many layers."""
    lines = ["name: long", "inputs: {data: [1, 8, 32, 32]}", "layers:"]
    before = "data"
    for i in range(layers // 4):
        param = "{num_output: 8, kernel_size: 3, pad: 1}"
        lines += [
            f"- {{name: a{i}, type: Convolution, bottom: {before}, convolution_param: {param}}}",
            f"- {{name: r{i}, type: ReLU}}",
            f"- {{name: b{i}, type: Convolution, convolution_param: {param}}}",
            f"- {{name: s{i}, type: Eltwise, bottom: [b{i}, {before}]}}",
        ]
        before = f"s{i}"
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print CPU microseconds a layer, and the growth from one size to the next."""
    start, _ = cpu([PYTHON, "-c", "import yaml, argparse"])
    print(f"{'layers':>8}{'CPU s':>9}{'us a layer':>12}{'growth':>8}{'peak MiB':>10}")
    before = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for layers in (1_000, 10_000, 100_000):
            path = os.path.join(folder, f"{layers}.yaml")
            with open(path, "w", encoding="utf-8") as handle:
                handle.write(spec(layers))
            runs = [cpu([PYTHON, "-c", CHECK.format(path)]) for _ in range(3)]
            spent, peak = min(runs)
            growth = f"{spent / before:.1f}" if before else ""
            each = (spent - start) / layers * 1000
            print(f"{layers:>8,}{spent / 1000:>9.2f}{each:>12.1f}{growth:>8}{peak:>10.0f}")
            before = spent


if __name__ == "__main__":
    main()
