"""The PyTorch backend: source text, eager modules that run it, and compiled ones."""

from __future__ import annotations

from .eager import compiled as compiled
from .eager import eager as eager
from .emit import emit as source
from .solvers import solver as solver
from .support import support as support

__all__ = ["compiled", "eager", "solver", "source", "support"]
