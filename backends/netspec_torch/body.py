"""Body: the methods of one class of the source, the net's or that of a part."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from .blocks import Item, Line, Part
from .lowering import literal
from .registers import Registers

INDENT = "        "
WIDTH = 100
RUN = 3  # modules made alike from which on they are written as one


class Body:
    """The statements of a class; modules have the paths they have in the net.

    `lists` has the groups whose members are 0, 1, 2, ..., and how many those are; `flat` asks for
    one statement a module.
    """

    def __init__(self, part: Part, lists: Mapping[str, int], flat: bool = False) -> None:
        self.items = part.items
        self.path = part.path
        self.lists = lists
        self.last = {id(value): at for at, item in enumerate(self.items) for value in item.bottoms}
        self.last.update((id(value), len(self.items)) for value in part.outputs)
        self.members: dict[str, list[int]] = {}  # of each list: the items that make them
        for at, item in enumerate(self.items):
            if item.made and _parent(item.made) in lists:
                self.members.setdefault(_parent(item.made), []).append(at)
        self.shared = {item.called for item in self.items if item.called != item.made}
        self.whole = {} if flat else self.whole_lists()
        self.listed = set(self.whole.values())
        self.chains = {at: group for at, group in self.whole.items() if self.chained(at, group)}
        self.is_sequence = self.chains.get(0) == self.path and self.lists[self.path] == len(
            self.items
        )
        self.sequential: set[str] = set()  # the chains that forward calls as one module
        if not self.is_sequence:
            self.chains = {at: group for at, group in self.chains.items() if group != self.path}

    def whole_lists(self) -> dict[int, str]:
        """Return the lists whose members are made one after the other, by the first item."""
        order = [at for at, item in enumerate(self.items) if item.made]
        number = {at: count for count, at in enumerate(order)}
        return {
            members[0]: group
            for group, members in self.members.items()
            if self.lists[group] == len(members) == number[members[-1]] - number[members[0]] + 1
        }

    def chained(self, at: int, group: str) -> bool:
        """Return whether the members of a list are called in turn, each on what the last gave."""
        found = self.items[at : at + self.lists[group]]
        return len(found) > 1 and all(
            item.plain
            and item.made not in self.shared
            and _parent(item.made) == group
            and (step == 0 or item.bottoms[0] is found[step - 1].tops[0])
            and (item is found[-1] or self.last.get(id(item.tops[0])) == at + step + 1)
            for step, item in enumerate(found)
        )

    @property
    def base(self) -> str:
        """Return the class this one is derived from."""
        if self.is_sequence:
            return "nn.Sequential"
        return "nn.ModuleList" if self.path in self.lists else "nn.Module"

    # the tree of modules

    def reach(self, path: str) -> str:
        """Return the expression that reads a module."""
        text, at = "self", self.path
        for part in path[len(at) + 1 if at else 0 :].split("."):
            if not part:
                break
            if part.isdigit():
                text += f"[{part}]" if at in self.lists else f"._modules[{literal(part)}]"
            else:
                text += f".{part}"
            at = f"{at}.{part}" if at else part
        return text

    def attach(self, path: str, text: str) -> str:
        """Return the statement that hangs a module into the tree."""
        parent, _, last = path.rpartition(".")
        if parent in self.lists:
            return f"{INDENT}{self.reach(parent)}.append({text})"
        if last.isdigit():
            return f"{INDENT}{self.reach(parent)}.add_module({literal(last)}, {text})"
        return f"{INDENT}{self.reach(path)} = {text}"

    def init(self) -> list[str]:
        """Return the statements that make the modules, once forward is known."""
        made = {self.path}
        lines = [f"{INDENT}super().__init__()"]
        if self.whole.get(0, "") == self.path != "":
            lines = [f"{INDENT}super().__init__{self.given(self.path, not self.is_sequence)}"]
        for at, item in enumerate(self.items):
            dot = item.made.find(".", len(self.path) + 1)
            while dot >= 0:
                group = item.made[:dot]
                if group not in made:
                    made.add(group)
                    lines.append(self.attach(group, self.container(group, at)))
                dot = item.made.find(".", dot + 1)
            if item.made and _parent(item.made) not in self.listed:
                lines.append(self.attach(item.made, item.init))
        for item in self.items:
            lines += [INDENT + self.line(line) for line in item.ties]
        return lines

    def container(self, group: str, at: int) -> str:
        """Return what makes a group, with its members where they come one after the other."""
        if self.whole.get(at) != group:
            return "nn.ModuleList()" if group in self.lists else "nn.Module()"
        if group in self.sequential:
            return f"nn.Sequential{self.given(group, False)}"
        return f"nn.ModuleList{self.given(group, True)}"

    def given(self, group: str, listed: bool) -> str:
        """Return the arguments that give a list its members."""
        made = [self.items[at].init for at in self.members[group]]
        rows: list[str] = []
        for init, run in groupby(made):
            count = len(list(run))
            alike = f"*({init} for _ in range({count}))"
            rows += [alike] if count >= RUN else [init] * count
        if listed and len(rows) == 1 and rows[0].startswith("*"):
            return rows[0][1:]
        start, end = ("([", "])") if listed else ("(", ")")
        line = f"{start}{', '.join(rows)}{end}"
        if len(line) < WIDTH - 40 and len(rows) < RUN:
            return line
        inner = "".join(f"\n{INDENT}    {row}," for row in rows)
        return f"{start}{inner}\n{INDENT}{end}"

    def phase(self, kind: str, methods: Mapping[str, str]) -> list[str]:
        """Return the statements of one kind on weights; `methods` has those of parts, by path."""
        lines: list[str] = []
        done = 0
        for at, item in enumerate(self.items):
            lines += [INDENT + self.line(line) for line in getattr(item, kind)]
            if item.made not in methods or at < done:
                continue
            method = methods[item.made]
            group = self.whole.get(at, "")
            members = self.members[group] if group else []
            theirs = {methods.get(self.items[member].made) for member in members}
            if len(members) > 1 and theirs == {method}:
                lines.append(f"{INDENT}for block in {self.reach(group)}:")
                lines.append(f"{INDENT}    block.{method}()")
                done = members[-1] + 1
            else:
                lines.append(f"{INDENT}{self.reach(item.made)}.{method}()")
        return lines

    def line(self, line: Line) -> str:
        """Return a statement on modules."""
        return line.text.format(*map(self.reach, line.paths))

    # what runs

    def forward(self, registers: Registers, names: dict[int, str]) -> list[str]:
        """Return the statements of forward: one an item, each blob freed at its last use.

        `names` holds the arguments, and gets the name of each blob.
        """
        lines: list[str] = []
        # the caller holds on to an argument: there is no use in deleting one
        held = {at for at, name in names.items() if registers.number(name) is not None}
        at = 0
        while at < len(self.items):
            item = self.items[at]
            group = self.chains.get(at, "")
            size = self.lists[group] if group else 1
            final = self.items[at + size - 1]
            bottoms = [names[id(value)] for value in item.bottoms]
            dying = [v for v in dict.fromkeys(item.bottoms) if self.last[id(v)] == at]
            kept = {names[id(value)] for value in dying if id(value) in held}
            free = [names[id(value)] for value in dying]
            tops = [registers.take(free) for _ in final.tops]
            if group and tops == bottoms and not kept:
                each = "block" if item.part is not None else "layer"
                while each in registers.arguments:
                    each += "_"
                lines.append(f"{INDENT}for {each} in {self.reach(group)}:")
                lines.append(f"{INDENT}    {tops[0]} = {each}({tops[0]})")
            elif group:
                self.sequential.add(group)
                lines.append(f"{INDENT}{tops[0]} = {self.reach(group)}({bottoms[0]})")
            else:
                lines += [INDENT + self.line(line) for line in item.before]
                if tops:
                    lines.append(f"{INDENT}{', '.join(tops)} = {self.call(item, bottoms)}")
            names.update((id(v), top) for v, top in zip(final.tops, tops, strict=True))
            unread = [names[id(v)] for v in final.tops if id(v) not in self.last]
            dead = [name for name in free if name not in tops] + unread
            if gone := [name for name in dead if name not in kept]:
                lines.append(f"{INDENT}del {', '.join(gone)}")
            registers.release(dead)
            at += size
        return lines

    def call(self, item: Item, bottoms: list[str]) -> str:
        """Return the expression of an item's tops."""
        for index, flows in enumerate(item.flows):
            bottoms[index] += "" if flows else ".detach()"
        module = self.reach(item.called) if item.called else "self"
        return item.call.format(*bottoms, self=module, args=", ".join(bottoms))


def _parent(path: str) -> str:
    return path.rpartition(".")[0]
