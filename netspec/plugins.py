"""Folder: things found by file stem, here and in the packages that plugins add."""

from __future__ import annotations

import os
import sys
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


def fold(name: str) -> str:
    """Return a name as names are compared: `InnerProduct` and `inner_product` are one."""
    return name.replace("_", "").lower()


class Folder:
    """The modules of a package and of the packages plugins add to it, by stem.

    A module is imported when its stem is asked for; entry points are read only for a stem that
    is not here. Two modules of one stem are refused.
    """

    def __init__(self, package: str, group: str) -> None:
        self.package = package
        self.group = group
        self._stems: dict[str, str] | None = None
        self._all = False

    def find(self, name: str) -> ModuleType | None:
        """Return the module whose stem is `name`, folded; None where there is none."""
        where = self.stems().get(fold(name)) or self.stems(plugins=True).get(fold(name))
        return import_module(where) if where else None

    def __iter__(self) -> Iterator[str]:
        """Yield every stem, sorted."""
        return iter(sorted(where.rpartition(".")[2] for where in self.stems(True).values()))

    def stems(self, plugins: bool = False) -> dict[str, str]:
        """Return the module name of every stem, by folded stem."""
        if self._stems is None:
            self._stems = dict(_modules(self.package))
        if plugins and not self._all:
            self._all = True
            for package in entry_points(self.group).values():
                for stem, where in _modules(package):
                    if self._stems.setdefault(stem, where) != where:
                        raise ImportError(f"{self._stems[stem]} and {where} are one layer type")
        return self._stems


def _modules(package: str) -> Iterator[tuple[str, str]]:
    for path in import_module(package).__path__:
        for file in sorted(os.listdir(path)):
            stem, dot, suffix = file.partition(".")
            if dot and suffix == "py" and stem != "__init__":
                yield fold(stem), f"{package}.{stem}"


def entry_points(group: str) -> dict[str, str]:
    """Return the entry points of a group: name to value; a bare checkout's own come first."""
    from importlib import metadata

    found = checkout().get(group, {})
    for point in metadata.entry_points(group=group):
        found.setdefault(point.name, point.value)
    return found


def checkout() -> dict[str, dict[str, str]]:
    """Return the entry-point table of the checkout netspec runs from; empty where installed.

    A checkout's `backends` folder joins the import path, so that a bare clone works, and a
    backend added to one is found without reinstalling.
    """
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    file = os.path.join(root, "pyproject.toml")
    backends = os.path.join(root, "backends")
    if not (os.path.isfile(file) and os.path.isdir(backends)):
        return {}
    import tomllib

    with open(file, "rb") as handle:
        project = tomllib.load(handle).get("project", {})
    if project.get("name") != "netspec":
        return {}
    if backends not in sys.path:
        sys.path.append(backends)
    return {group: dict(points) for group, points in project.get("entry-points", {}).items()}


layer_types = Folder("netspec.layers", "netspec.layers")
