"""`python -m netspec`."""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # the current folder: a file in it must not stand in for a library

from netspec.cli import run

if __name__ == "__main__":
    run()
