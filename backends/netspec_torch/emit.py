"""emit: a Net to the Python source of one nn.Module."""

from __future__ import annotations

import builtins
import inspect
import textwrap
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from netspec import codes
from netspec.diagnostics import Report
from netspec.graph import Node, Value
from netspec.net import Net
from netspec.spec import as_list

from . import fill, parametrize
from .blocks import Item, Line, Part, parts
from .body import INDENT, Body
from .classes import BlockClass, Classes
from .direct import DIRECT, REFUSED
from .lowering import Lowered, Refused, arguments, expression, literal, lowerings
from .names import attributes, safe
from .registers import Registers

# what follows once all modules are made: weights are drawn in this order, whatever the classes
PHASES = {"fill": "fill_weights", "rate": "parametrize_weights"}


def emit(net: Net, outputs: Sequence[str] | str | None = None, flat: bool = False) -> str:
    """Return source that needs torch alone; the class in it is named after the net.

    `outputs` names the blobs to return in place of the net's own; "all" returns every one.
    `flat` makes no classes of blocks and no loops: one statement a layer.
    Raises SpecError where a layer cannot be lowered.
    """
    return _Emitter(net, outputs, flat).source()


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
    def __init__(self, net: Net, outputs: Sequence[str] | str | None, flat: bool) -> None:
        self.net = net
        self.flat = flat
        self.report = Report()
        self.nodes = [node for node in net.flat.nodes if not node.layer.source]
        self.outputs = self.wanted(outputs)
        self.known: dict[Any, Lowered] = {}
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
        # entries that say the same have one layer, and over like blobs they lower alike
        blobs = tuple(value.blob for value in node.bottoms)
        key = (id(node.layer), blobs, len(node.tops), node.in_place, node.frozen)
        try:
            if key not in self.known:
                self.known[key] = lower(node)
            return self.known[key]
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

    def groups(self) -> dict[str, int]:
        """Return the groups that are lists, with their sizes: members are 0, 1, ... in order."""
        members: dict[str, dict[str, None]] = {}
        for path in self.paths.values():
            dot = path.find(".")
            while dot >= 0:
                end = path.find(".", dot + 1)
                last = path[dot + 1 : end if end >= 0 else len(path)]
                members.setdefault(path[:dot], {})[last] = None
                dot = end
        return {
            group: len(names)
            for group, names in members.items()
            if list(names) == [str(i) for i in range(len(names))]
        }

    def source(self) -> str:
        """Return the whole text."""
        items = [self.item(node) for node in self.nodes]
        ends = [*self.outputs.values(), *(value for value, _ in self.losses())]
        found = parts(items, ends, self.flat)
        blocks = Classes(found, self.uses, {self.class_name()})
        support = [_text(thing) for thing in self.uses.values()]
        classes = [line for block in blocks.all for line in [*self.block(block, blocks), "", ""]]
        body = self.body(found[0], blocks)
        uses_functions = any("F." in text for text in [*support, *classes, *body])
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
        lines += [*classes, f"class {self.class_name()}(nn.Module):", *body, ""]
        return "\n".join(lines)

    def class_name(self) -> str:
        """Return the name of the class: the net's, as an identifier."""
        name = safe(self.net.name.replace("-", "_").replace(" ", "_"))
        return f"{name}_net" if name in self.uses or name in dir(builtins) else name

    def use(self, things: Iterable[Any]) -> None:
        """Note classes and functions of this package that the source needs, and theirs."""
        for thing in things:
            if thing.__name__ not in self.uses:
                self.use(getattr(thing, "uses", ()))
                self.uses[thing.__name__] = thing

    # statements

    def item(self, node: Node) -> Item:
        """Return what a layer becomes in the source, its module at the path it has in the net."""
        lowered = self.lowered[id(node)]
        item = Item(node, None, node.bottoms, node.tops)
        item.called = path = self.paths.get(self.owner(node).name, "") if lowered.init else ""
        item.call = lowered.call
        item.flows = as_list(node.entry.get("propagate_down", []))
        self.use(lowered.uses)
        if not lowered.init or self.owner(node) is not node:
            return item
        item.made = path
        item.init = lowered.init
        for weight in (*node.weights, *node.state):
            name = parametrize.plain(weight.name)
            if weight.owner is not None:
                there, theirs = self.paths[self.owner(weight.owner[0]).name], weight.owner[1]
                if _reshaped(weight):
                    item.ties.append(Line(f"del {{0}}.{name}", path))
                    view = f"{{0}}.{weight.name} = {{1}}.{theirs}.view({arguments(*weight.shape)})"
                    item.before += [Line(view, path, there)] if weight in node.weights else []
                else:
                    theirs = parametrize.plain(theirs)
                    item.ties.append(Line(f"{{0}}.{name} = {{1}}.{theirs}", path, there))
                continue
            if weight not in node.weights:
                continue
            if not weight.trainable:
                item.ties.append(Line(f"{{0}}.{name}.requires_grad_(False)", path))
            if weight.filler is not None:
                kind, params = fill.choose(weight.filler)
                self.use((kind,))
                given = ", ".join([f"{{0}}.{name}", *params])
                item.fill.append(Line(f"{kind.__name__}({given})", path))
        rate = parametrize.lower(node)
        if rate is not None:
            self.use(rate.uses)
            item.rate.append(Line(rate.call.replace("{self}", "{0}"), path))
        return item

    # classes

    def body(self, net: Part, blocks: Classes) -> list[str]:
        """Return the lines of the net's class, its head apart."""
        body = Body(net, self.lists, self.flat)
        forward = self.forward(body)
        lines = [*self.class_lines(), "    def __init__(self):", *body.init()]
        for kind in PHASES:
            lines += body.phase(kind, blocks.methods(net, kind))
        return [*lines, "", *forward]

    def block(self, block: BlockClass, blocks: Classes) -> list[str]:
        """Return the class of a block."""
        part = block.text
        body = Body(part, self.lists)
        registers = Registers(self.uses)
        names = {id(value): registers.take([]) for value in part.inputs}
        arguments_ = ", ".join(["self", *names.values()])
        forward = body.forward(registers, names)
        made = [f"{INDENT}self.{p.attribute} = {p.name}" for p in block.params if p.attribute]
        lines = [f"class {block.name}({body.base}):", f"    def __init__({block.signature()}):"]
        lines += [*body.init(), *made]
        for kind, method in PHASES.items():
            if phase := body.phase(kind, blocks.methods(part, kind)):
                block.methods[kind] = method = block.free(method)
                lines += ["", f"    def {method}(self):", *phase]
        if not body.is_sequence:
            lines += ["", f"    def forward({arguments_}):", *forward]
            given = ", ".join(names[id(value)] for value in part.outputs)
            lines.append(f"{INDENT}return {given}")
        return lines

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

    def forward(self, body: Body) -> list[str]:
        """Return the forward method of the net."""
        inputs = list(self.net.inputs)
        values = dict(self.net.flat.inputs)
        for node in self.net.flat.nodes:
            if node.layer.source:
                values.update((value.name, value) for value in node.tops)
        registers = Registers({*self.uses, *dir(builtins)})
        given = [registers.argument(safe(name)) for name in inputs]
        names = {id(values[name]): argument for name, argument in zip(inputs, given, strict=True)}
        lines = [f"    def forward({', '.join(['self', *given])}):"]
        lines += body.forward(registers, names)
        if not self.nodes:
            lines.append(f"{INDENT}pass")
        return lines + self.returns(names)

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
