"""netspec: networks as data, checked for every size, lowered to PyTorch, drawn."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from netspec.api import build as build
    from netspec.api import load_weights as load_weights
    from netspec.api import param_groups as param_groups
    from netspec.api import solver as solver
    from netspec.api import source as source
    from netspec.diagnostics import Diagnostic as Diagnostic
    from netspec.diagnostics import SpecError as SpecError
    from netspec.net import Net as Net
    from netspec.pipeline import load as load

__version__ = "0.1.0"

_HOMES = {
    "Diagnostic": "netspec.diagnostics",
    "Net": "netspec.net",
    "SpecError": "netspec.diagnostics",
    "build": "netspec.api",
    "load": "netspec.pipeline",
    "load_weights": "netspec.api",
    "param_groups": "netspec.api",
    "solver": "netspec.api",
    "source": "netspec.api",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'netspec' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
