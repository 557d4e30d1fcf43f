"""What `netspec.build` adds to `import torch`."""

from __future__ import annotations

from paired import PYTHON, compare

BUILD = "import netspec; netspec.build('zoo:resnet152', init={})"


def main() -> None:
    """Print the comparison."""
    compare(
        {
            "import torch": [PYTHON, "-c", "import torch"],
            "build zoo:resnet152, weights to be loaded": [PYTHON, "-c", BUILD.format(False)],
            "build zoo:resnet152, weights initialised": [PYTHON, "-c", BUILD.format(True)],
        },
        5,
    )


if __name__ == "__main__":
    main()
