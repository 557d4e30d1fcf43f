"""Registers: the local variables of a forward method."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush

REGISTERS = ("x", "y", "z", "u", "v", "w")


class Registers:
    """The local variables of forward: the name of a dead blob is used again."""

    def __init__(self, used: Iterable[str]) -> None:
        self.used = frozenset(used)  # what the source calls: no argument may hide it
        self.arguments: set[str] = set()
        self.spare: list[int] = []  # a heap: the first free name is taken first
        self.count = 0

    def argument(self, name: str) -> str:
        """Return the name of an argument, unlike every other."""
        while name in self.arguments or name in self.used:
            name += "_"
        self.arguments.add(name)
        return name

    def take(self, free: list[str]) -> str:
        """Return a name for a new blob, out of those that just died if there is one."""
        for name in free:
            if self.number(name) is not None:
                free.remove(name)
                return name
        while True:
            if self.spare:
                number = heappop(self.spare)
            else:
                number, self.count = self.count, self.count + 1
            name = REGISTERS[number] if number < len(REGISTERS) else f"x{number}"
            if name not in self.arguments:
                return name

    def release(self, names: Iterable[str]) -> None:
        """Give dead names back."""
        for name in names:
            number = self.number(name)
            if number is not None:
                heappush(self.spare, number)

    def number(self, name: str) -> int | None:
        """Return which register a name is; None for an argument."""
        if name in self.arguments:
            return None
        return REGISTERS.index(name) if name in REGISTERS else int(name[1:])
