"""emit: a Net to the Python source of one nn.Module."""

from __future__ import annotations

import builtins
import inspect
import textwrap
from collections.abc import Iterable, Sequence
from functools import cache
from heapq import heappop, heappush
from typing import Any

from netspec import codes
from netspec.diagnostics import Report
from netspec.graph import Node, Value
from netspec.net import Net
from netspec.spec import as_list

from . import fill, parametrize
from .direct import DIRECT, REFUSED
from .lowering import Lowered, Refused, arguments, expression, literal, lowerings
from .names import attributes, safe

INDENT = "        "
REGISTERS = ("x", "y", "z", "u", "v", "w")


def emit(net: Net, outputs: Sequence[str] | str | None = None) -> str:
    """Return source that needs torch alone; the class in it is named after the net.

    `outputs` names the blobs to return in place of the net's own; "all" returns every one.
    Raises SpecError where a layer cannot be lowered.
    """
    return _Emitter(net, outputs).source()


def lower(node: Node) -> Lowered:
    """Return the lowering of one layer: a function of its own, or a row of the table."""
    found = lowerings.find(node.type)
    if found is not None:
        lowered: Lowered = found.lower(node)
        return lowered
    if node.type in REFUSED:
        raise Refused(REFUSED[node.type])
    row = DIRECT.get(node.type)
    if row is None:
        raise Refused("it has no lowering yet")
    if row.startswith("nn."):
        return Lowered(row, "{self}({args})")
    return expression(row)


class _Emitter:
    def __init__(self, net: Net, outputs: Sequence[str] | str | None) -> None:
        self.net = net
        self.report = Report()
        self.nodes = [node for node in net.flat.nodes if not node.layer.source]
        self.outputs = self.wanted(outputs)
        self.lowered = {id(node): self.lower(node) for node in self.nodes}
        self.report.close()
        # one module for the layers that share all weights and are alike
        self.owners: dict[tuple[str, str], Node] = {}
        for node in self.nodes:
            self.owners.setdefault((node.weight_key, self.lowered[id(node)].init), node)
        self.modules = [
            node for node in self.nodes if self.lowered[id(node)].init and self.owner(node) is node
        ]
        self.paths = attributes([node.name for node in self.modules])
        self.lists = self.groups()
        self.uses: dict[str, Any] = {}

    def lower(self, node: Node) -> Lowered:
        try:
            return lower(node)
        except Refused as refusal:
            self.report.add(
                codes.NotLowered, node.place.span("type"), layer=node.name, backend="torch",
                reason=str(refusal),
            )  # fmt: skip
            return expression("None")

    def wanted(self, outputs: Sequence[str] | str | None) -> dict[str, Value]:
        """Return the values to give back, by name."""
        flat = self.net.flat
        if outputs is None:
            return dict(flat.outputs)
        known = {value.name: value for node in flat.nodes for value in node.tops}
        if outputs == "all":
            return known
        known = known | flat.names
        found: dict[str, Value] = {}
        for name in [outputs] if isinstance(outputs, str) else outputs:
            if name in known:
                found[name] = known[name]
            else:
                from netspec.diagnostics import nearest

                near = nearest(name, known)
                self.report.add(
                    codes.UndefinedOutput, None, blob=name,
                    hint=f"did you mean `{near}`?" if near else "",
                )  # fmt: skip
        return found

    def owner(self, node: Node) -> Node:
        """Return the node whose module this one calls: itself, or the first of its key."""
        return self.owners[node.weight_key, self.lowered[id(node)].init]

    def source(self) -> str:
        """Return the whole text."""
        init = self.init()
        forward = self.forward()
        name = self.class_name()
        fill_lines = self.fillers()
        body = [
            *self.class_lines(),
            "    def __init__(self):",
            f"{INDENT}super().__init__()",
            *init,
            *fill_lines,
            *self.parametrizations(),
            "",
            *forward,
        ]
        support = self.support()
        uses_functions = any("F." in text for text in [*support, *body])
        lines = [
            "# -*- coding: utf-8 -*-",
            '"""A network written by netspec."""',
            "",
            *(["import math", ""] if any("math." in text for text in support) else []),
            "import torch",
            *(["import torch.nn.functional as F"] if uses_functions else []),
            "from torch import nn",
            "",
            "",
        ]
        for text in support:
            lines += [text, "", ""]
        lines += [f"class {name}(nn.Module):", *body, ""]
        return "\n".join(lines)

    def class_name(self) -> str:
        """Return the name of the class: the net's, as an identifier."""
        name = safe(self.net.name.replace("-", "_").replace(" ", "_"))
        return f"{name}_net" if name in self.uses or name in dir(builtins) else name

    def class_lines(self) -> list[str]:
        """Return the class attributes: renamed layers, multipliers, the order of the inputs."""
        renamed = {path: name for name, path in self.paths.items() if path != name}
        mults = {
            f"{self.paths[node.name]}.{weight.name}": (weight.lr_mult, weight.decay_mult)
            for node in self.modules
            for weight in node.weights
            if (weight.lr_mult, weight.decay_mult) != (1.0, 1.0) and weight.owner is None
        }
        lines = []
        if renamed:
            lines += ["    # attribute: the layer's name in the spec", *_mapping("names", renamed)]
        if mults:
            lines += ["    # weight: (lr_mult, decay_mult)", *_mapping("multipliers", mults)]
        return [*lines, ""] if lines else []

    def init(self) -> list[str]:
        """Return the statements that make the modules."""
        lines: list[str] = []
        made: set[str] = set()
        for node in self.modules:
            path = self.paths[node.name]
            parts = path.split(".")
            for depth in range(1, len(parts)):
                group = ".".join(parts[:depth])
                if group not in made:
                    made.add(group)
                    kind = "nn.ModuleList()" if group in self.lists else "nn.Module()"
                    lines.append(INDENT + self.attach(group, kind))
            lowered = self.lowered[id(node)]
            self.use(lowered.uses)
            lines.append(INDENT + self.attach(path, lowered.init))
        for node in self.nodes:
            lines += [INDENT + line for line in self.ties(node)]
        return lines

    def groups(self) -> set[str]:
        """Return the groups that are lists: their members are 0, 1, 2, ... in order."""
        members: dict[str, dict[str, None]] = {}
        for path in self.paths.values():
            parts = path.split(".")
            for depth in range(1, len(parts)):
                members.setdefault(".".join(parts[:depth]), {})[parts[depth]] = None
        return {
            group
            for group, names in members.items()
            if list(names) == [str(i) for i in range(len(names))]
        }

    def attach(self, path: str, text: str) -> str:
        """Return the statement that hangs a module into the tree."""
        parent, _, last = path.rpartition(".")
        if parent in self.lists:
            return f"{self.reach(parent)}.append({text})"
        if last.isdigit():
            return f"{self.reach(parent)}.add_module({literal(last)}, {text})"
        return f"{self.reach(path)} = {text}"

    def reach(self, path: str) -> str:
        """Return the expression that reads a module."""
        text, at = "self", ""
        for part in path.split("."):
            if part.isdigit():
                text += f"[{part}]" if at in self.lists else f"._modules[{literal(part)}]"
            else:
                text += f".{part}"
            at = f"{at}.{part}" if at else part
        return text

    def ties(self, node: Node) -> list[str]:
        """Return the statements that share weights by name, and that freeze."""
        lines = []
        if self.owner(node) is not node:
            return []
        for weight in (*node.weights, *node.state):
            if not self.lowered[id(node)].init:
                continue
            here = f"{self.reach(self.paths[node.name])}.{parametrize.plain(weight.name)}"
            if weight.owner is not None:
                owner, name = weight.owner
                there = self.reach(self.paths[self.owner(owner).name])
                there += f".{parametrize.plain(name)}"
                if _reshaped(weight):
                    lines.append(f"del {here}")
                else:
                    lines.append(f"{here} = {there}")
            elif weight in node.weights and not weight.trainable:
                lines.append(f"{here}.requires_grad_(False)")
        return lines

    def fillers(self) -> list[str]:
        """Return the statements that start weights as their fillers say."""
        lines = []
        for node in self.modules:
            for weight in node.weights:
                if weight.filler is None or weight.owner is not None:
                    continue
                name = parametrize.plain(weight.name)
                target = f"{self.reach(self.paths[node.name])}.{name}"
                kind, params = fill.choose(weight.filler)
                self.use((kind,))
                lines.append(f"{INDENT}{kind.__name__}({', '.join([target, *params])})")
        return lines

    def parametrizations(self) -> list[str]:
        """Return the statements for weights with spectral norm or an equalised rate.

        They come last: the vectors of spectral norm are found for the weights as they start.
        """
        lines = []
        for node in self.modules:
            lowered = parametrize.lower(node)
            if lowered is not None:
                self.use(lowered.uses)
                lines.append(INDENT + lowered.call.format(self=self.reach(self.paths[node.name])))
        return lines

    def use(self, things: Iterable[Any]) -> None:
        """Note classes and functions of this package that the source needs, and theirs."""
        for thing in things:
            if thing.__name__ not in self.uses:
                self.use(getattr(thing, "uses", ()))
                self.uses[thing.__name__] = thing

    def support(self) -> list[str]:
        """Return the text of every class and function the source needs."""
        return [_text(thing) for thing in self.uses.values()]

    def forward(self) -> list[str]:
        """Return the forward method: one statement a layer, each blob freed at its last use."""
        inputs = list(self.net.inputs)
        values = dict(self.net.flat.inputs)
        for node in self.net.flat.nodes:
            if node.layer.source:
                values.update((value.name, value) for value in node.tops)
        last = self.last_uses()
        for lowered in self.lowered.values():
            self.use(lowered.uses)
        registers = _Registers({*self.uses, *dir(builtins)})
        names: dict[int, str] = {}
        arguments_: list[str] = []
        for name in inputs:
            argument = registers.argument(safe(name))
            names[id(values[name])] = argument
            arguments_.append(argument)
        lines = [f"    def forward({', '.join(['self', *arguments_])}):"]
        for position, node in enumerate(self.nodes):
            lowered = self.lowered[id(node)]
            bottoms = [names[id(value)] for value in node.bottoms]
            for index, flows in enumerate(as_list(node.entry.get("propagate_down", []))):
                bottoms[index] += "" if flows else ".detach()"
            dying = [
                value
                for value in dict.fromkeys(node.bottoms)
                if last.get(id(value), -1) == position
            ]
            free = [names[id(value)] for value in dying]
            tops = [registers.take(free) for value in node.tops]
            lines += [INDENT + line for line in self.before(node)]
            path = self.paths.get(self.owner(node).name, "")
            fields = {"self": self.reach(path) if path else "self", "args": ", ".join(bottoms)}
            call = lowered.call.format(*bottoms, **fields)
            if tops:
                lines.append(f"{INDENT}{', '.join(tops)} = {call}")
            for value, top in zip(node.tops, tops, strict=True):
                names[id(value)] = top
            unread = [names[id(v)] for v in node.tops if id(v) not in last]
            dead = [name for name in free if name not in tops] + unread
            if dead:
                lines.append(f"{INDENT}del {', '.join(dead)}")
                registers.release(dead)
        if not self.nodes:
            lines.append(f"{INDENT}pass")
        return lines + self.returns(names)

    def before(self, node: Node) -> list[str]:
        """Return the statements that view an owner's weight in this layer's shape."""
        lines = []
        if self.owner(node) is node:
            for weight in node.weights:
                if weight.owner is not None and _reshaped(weight):
                    owner, name = weight.owner
                    here = f"{self.reach(self.paths[node.name])}.{weight.name}"
                    there = f"{self.reach(self.paths[self.owner(owner).name])}.{name}"
                    lines.append(f"{here} = {there}.view({arguments(*weight.shape)})")
        return lines

    def last_uses(self) -> dict[int, int]:
        """Return the position of the last layer that reads each value; the end for outputs."""
        last: dict[int, int] = {}
        for position, node in enumerate(self.nodes):
            for value in node.bottoms:
                last[id(value)] = position
        for value in self.outputs.values():
            last[id(value)] = len(self.nodes)
        for value, _ in self.losses():
            last[id(value)] = len(self.nodes)
        return last

    def losses(self) -> list[tuple[Value, float]]:
        """Return the tops that count in the training loss, with their weights."""
        if self.net.phase != "train":
            return []
        return [
            (value, weight)
            for node in self.nodes
            for value, weight in zip(node.tops, loss_weights(node), strict=False)
            if weight
        ]

    def returns(self, names: dict[int, str]) -> list[str]:
        """Return the statements that give the outputs back."""
        losses = self.losses()
        found = {name: names[id(value)] for name, value in self.outputs.items()}
        if losses:
            terms = []
            for value, weight in losses:
                term = names[id(value)] + (".sum()" if value.blob and value.blob.shape else "")
                terms.append(term if weight == 1 else f"{literal(float(weight))} * {term}")
            found["loss"] = " + ".join(terms)
        elif len(found) == 1:
            return [f"{INDENT}return {next(iter(found.values()))}"]
        items = [f"{literal(name)}: {text}" for name, text in found.items()]
        if sum(map(len, items)) < 70:
            return [f"{INDENT}return {{{', '.join(items)}}}"]
        return [f"{INDENT}return {{", *(f"{INDENT}    {item}," for item in items), f"{INDENT}}}"]


class _Registers:
    """The local variables of forward: the name of a dead blob is used again."""

    def __init__(self, used: set[str]) -> None:
        self.used = used  # what the source calls: no argument may hide it
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


def loss_weights(node: Node) -> list[float]:
    """Return the weight of each top in the training loss: losses count 1 on their first."""
    given = node.entry.get("loss_weight")
    if given is None:
        return [1.0 if node.layer.loss and index == 0 else 0.0 for index in range(len(node.tops))]
    return [float(weight) for weight in as_list(given)]


def _reshaped(weight: Any) -> bool:
    """Return whether a shared weight has its owner's count, but not its shape."""
    owner, name = weight.owner
    theirs = {w.name: w for w in (*owner.weights, *owner.state)}
    return name in theirs and theirs[name].shape != weight.shape


@cache
def _text(thing: Any) -> str:
    return textwrap.dedent(inspect.getsource(thing)).rstrip()


def _mapping(name: str, items: dict[str, Any]) -> list[str]:
    body = [f"        {literal(key)}: {literal(value)}," for key, value in items.items()]
    return [f"    {name} = {{", *body, "    }"]
