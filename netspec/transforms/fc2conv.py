"""fc2conv: dense layers as convolutions, so that a net takes images of any size.

A dense layer that reads a map is a convolution whose kernel is the whole map, with the same
weights in the same order; a dense layer after it has a kernel of 1. At the original size the
answers are the same; on a larger image there is one for each place.
"""

from __future__ import annotations

import copy
import re

from .. import codes
from ..analysis.cost import batch, macs
from ..diagnostics import Report, SpecError
from ..dim import Dim
from ..document import parse, read_text
from ..edits import Edits
from ..importers import yaml_text
from ..pipeline import compile_net
from ..spec import as_list, holds_variables, validate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, NoReturn

    from ..dim import Size
    from ..expand import Choice
    from ..graph import Node, Value
    from ..net import Net
    from ..spec import Spec

    Path = tuple[str | int, ...]
    Raw = dict[str, Any]
    Weights = dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]]

NAME = "fc2conv"
MESSAGE = "inner_product_param"
AXES = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}
# what is the same on a vector and on a map of vectors, beside the activations
SAME = frozenset({
    "BN", "BatchNorm", "Bias", "Concat", "Dropout", "Eltwise", "Scale", "Silence", "Slice", "Split",
})  # fmt: skip
FLATTENERS = frozenset({"Flatten", "Reshape"})


class Result:
    """A changed spec: its text, what was changed, and the new shapes of weights by name."""

    __slots__ = ("changes", "text", "weights")

    def __init__(self, text: str, changes: list[str], weights: Weights) -> None:
        self.text = text
        self.changes = changes
        self.weights = weights  # the old shape and the new one


def transform(
    spec: Spec,
    choices: Sequence[Choice],
    report: Report,
    at: Mapping[str, int],
    shapes: Mapping[str, Sequence[Any]],
    file: str,
) -> Result:
    """Return a spec with its dense layers as convolutions; `file` is what it will be called.

    `choices` are the nets of the spec that must keep their meaning. Raises SpecError where a
    layer stands in the way, with all of those.
    """
    nets = [compile_net(spec, choice, report, at, shapes) for choice in choices]
    surgery = _Surgery(spec, report)
    for net in nets:
        surgery.look(net)
    report.close()
    if not surgery.kernels:
        surgery.refuse_net("it has no dense layer that reads a map")
    edits = Edits(spec.document)
    surgery.change(edits, choices)
    return surgery.finish(edits, nets, file)


class _Surgery:
    """What is to be done to the nets of a spec."""

    def __init__(self, spec: Spec, report: Report) -> None:
        self.spec = spec
        self.report = report
        self.kernels: dict[Path, int | list[int]] = {}  # by the place of the dense entry
        self.dropped: set[Path] = set()
        self.read: set[str] = set()  # inputs that are still read
        self.shapes: dict[str, list[Any]] = {}  # new ones, by input
        self.extents: list[dict[str, int]] = []  # what the new symbols were, for each net
        self.weights: Weights = {}
        self.changes: dict[str, None] = {}

    def refuse(self, node: Node, reason: str, hint: str = "", key: str = "type") -> None:
        """Report that a layer stands in the way."""
        self.report.add(
            codes.NotTransformed, node.place.span(key), transform=NAME, layer=node.name,
            reason=reason, hint=hint,
        )  # fmt: skip

    def refuse_net(self, reason: str) -> NoReturn:
        """End with a reason that is no layer's."""
        self.report.fatal(
            codes.NotTransformed, None, transform=NAME, layer=self.spec.name, reason=reason
        )

    def look(self, net: Net) -> None:
        """Note what one net needs."""
        maps: dict[int, int] = {}  # vectors that become maps, and how many axes they get
        flat: dict[int, Node] = {}  # vectors that a layer made of maps, and the layer
        firsts: list[Value] = []
        for node in net.flat.nodes:
            if node.type == "InnerProduct":
                bottom = node.bottoms[0]
                shape = bottom.blob.shape if bottom.blob else ()
                axes = maps.get(id(bottom), 0)
                if id(bottom) in flat:
                    self.refuse_flat(flat[id(bottom)], node)
                elif (axes or len(shape) > 2) and self.convert(node, shape, axes):
                    maps.update((id(top), axes or len(shape) - 2) for top in node.tops)
                    if not axes:
                        firsts.append(bottom)
                continue
            axes = max((maps.get(id(value), 0) for value in node.bottoms), default=0)
            if not axes:
                _note_flat(node, flat)
            elif node.layer.family == "loss":
                self.drop(node)
            else:
                if reason := _unfit(node, maps):
                    self.refuse(node, *reason)
                maps.update((id(top), axes) for top in node.tops)
        self.read.update(
            name for name, value in net.flat.inputs.items()
            if any(reader.place.path not in self.dropped for reader in value.readers)
        )  # fmt: skip
        self.free(net, firsts)

    def refuse_flat(self, maker: Node, dense: Node) -> None:
        """Refuse a map that is flattened before the dense layer that reads it."""
        self.refuse(
            maker, f"it reshapes the map that `{dense.name}` reads",
            "leave it out: InnerProduct flattens by itself" if maker.type == "Flatten" else "",
        )  # fmt: skip

    def convert(self, node: Node, shape: Sequence[Any], axes: int) -> bool:
        """Note one dense layer, and return whether it can be a convolution.

        `axes` are those that its bottom gets; 0 where it is a map already.
        """
        layer: Any = node.layer
        sizes = _times(shape)
        spatial = (1,) * axes if axes else tuple(shape[2:])
        open_ = sorted({name for size in spatial if isinstance(size, Dim) for name in size.symbols})
        if not self.ours(node):
            return False
        if layer.transpose:
            self.refuse(node, "its weight is stored as inputs x outputs", key=MESSAGE)
        elif layer.axis not in (1, 1 - len(shape)):
            self.refuse(
                node, f"its axis is {layer.axis}, and of {sizes} a convolution sums from axis 1 on",
                key=MESSAGE,
            )  # fmt: skip
        elif not isinstance(_at(self.spec.document.value, node.place.path).get(MESSAGE), dict):
            self.refuse(node, f"its `{MESSAGE}` is a variable as a whole", key=MESSAGE)
        elif open_:
            self.refuse(
                node, f"it reads {sizes}, and a kernel is a number",
                f"give the size it is for: --at {','.join(f'{name}=...' for name in open_)}",
            )  # fmt: skip
        elif len(spatial) > len(AXES):
            self.refuse(node, f"it reads {sizes}, and {len(AXES)} spatial axes are the most")
        else:
            self.note(node, shape[1], spatial)
            return True
        return False

    def note(self, node: Node, channels: int, spatial: tuple[int, ...]) -> None:
        """Note one dense layer that can be converted."""
        kernel = spatial[0] if len(set(spatial)) == 1 else list(spatial)
        other = self.kernels.setdefault(node.place.path, kernel)
        if other != kernel:
            self.refuse(
                node, f"it stands for several layers, and one needs a kernel of "
                f"{yaml_text.flow(other)}, one of {yaml_text.flow(kernel)}",
                "choose a scale with --scale, or write the layers one by one",
            )  # fmt: skip
        weight = node.weights[0]
        new = (*weight.shape[:1], channels, *spatial)
        if weight.owner is None:
            name = f"{node.name}.{weight.name}"
            if self.weights.setdefault(name, (weight.shape, new)) != (weight.shape, new):
                del self.weights[name]  # of several nets, each with its own
        self.say(
            f"{node.name}: InnerProduct -> Convolution, kernel {_times(spatial)}, "
            f"weight {_times(weight.shape)} -> {_times(new)}"
        )

    def say(self, change: str) -> None:
        """Note what the user should know was changed."""
        self.changes[change] = None

    def ours(self, node: Node) -> bool:
        """Return whether a layer stands in the spec itself; refuse one that does not."""
        if node.place.document is not self.spec.document:
            self.refuse(node, "it stands in an imported file", "transform that file")
            return False
        return True

    def drop(self, node: Node) -> None:
        """Leave out a loss or an accuracy: it compares one answer with one label."""
        if not self.ours(node):
            return
        reader = next((reader for top in node.tops for reader in top.readers), None)
        if len(node.place.path) != 2 or reader is not None:
            self.refuse(
                node, "it compares one answer with one label"
                + (f", and `{reader.name}` reads it" if reader else ""),
                "leave it out",
            )  # fmt: skip
            return
        self.dropped.add(node.place.path)
        self.say(f"{node.name}: left out, it compares one answer with one label")

    def free(self, net: Net, firsts: Sequence[Value]) -> None:
        """Note the inputs that the converted layers come from: their extents become symbols."""
        extents: dict[str, int] = {}
        pending, seen = list(firsts), set()
        while pending:
            value = pending.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            if value.maker is None:
                continue
            pending += value.maker.bottoms
            if value.maker.layer.source and value.blob and value.blob.rank > 2:
                self.refuse(
                    value.maker, "it says the size of the images",
                    f"declare `{value.name}` under `inputs:`",
                )  # fmt: skip
        for name, value in net.flat.inputs.items():
            if id(value) in seen and value.blob:
                declared = net.flat.declared[name]
                dims = declared["shape"] if isinstance(declared, dict) else declared
                self.free_input(name, as_list(dims), value.blob.shape, extents)
        self.extents.append(extents)

    def free_input(
        self, name: str, dims: list[Any], found: Sequence[Size], extents: dict[str, int]
    ) -> None:
        """Note the new shape of one input, and what the symbols in it stand for."""
        axes = AXES.get(len(dims) - 2, ())
        known = self.shapes.get(name)
        text = f"{self.spec.inputs} {list(self.shapes.values())}"
        taken = set(re.findall(r"[A-Za-z_]\w*", text))
        new = list(dims)
        for axis, symbol in enumerate(axes, 2):
            size = found[axis]
            if isinstance(dims[axis], int):
                new[axis] = symbol if known is None else str(known[axis])
                while known is None and new[axis] in taken and extents.get(new[axis]) != size:
                    new[axis] += "_"
            if isinstance(size, int):
                extents[str(new[axis])] = size
        if new != dims:
            self.shapes[name] = new
            self.say(f"{name}: {_times(dims)} -> {_times(new)}")

    def change(self, edits: Edits, choices: Sequence[Choice]) -> None:
        """Make every change that was noted, and those that the choice of a net means."""
        for path, kernel in self.kernels.items():
            self.change_dense(edits, path, kernel)
        for name, dims in self.shapes.items():
            path = ("inputs", name)
            declared = self.spec.inputs[name]
            if isinstance(declared, dict):
                path, declared = (*path, "shape"), declared["shape"]
            if not isinstance(declared, list):
                edits.set(path, dims)
                continue
            for axis, dim in enumerate(dims):
                if declared[axis] != dim and isinstance(dim, str) and axis > 1:
                    edits.set((*path, axis), dim)
        self.settle(edits, choices)
        self.leave_out(edits, choices[0].within(self.spec.state))
        if "expect" in edits.value:
            edits.remove(("expect",))

    def change_dense(self, edits: Edits, path: Path, kernel: int | list[int]) -> None:
        """Write one dense entry as a convolution."""
        edits.set((*path, "type"), "Convolution")
        params = _at(self.spec.document.value, path)[MESSAGE]
        edits.insert((*path, MESSAGE, "num_output"), "kernel_size", kernel)
        for key in ("axis", "transpose"):
            if key in params:
                edits.remove((*path, MESSAGE, key))
        edits.rename((*path, MESSAGE), "convolution_param")

    def settle(self, edits: Edits, choices: Sequence[Choice]) -> None:
        """Make the chosen scale and variables the spec's own."""
        scale, given = choices[0].scale, dict(choices[0].vars)
        if scale is not None and len(choices) == 1:
            given = {**self.spec.scales[scale], **given}
            edits.remove(("scales",))
            if "name" in edits.value:
                edits.set(("name",), scale)
            self.say(f"{scale}: the only scale now")
        for name, value in given.items():
            if "vars" not in edits.value:
                edits.value["vars"] = {}
            edits.set(("vars", name), value)
            for other, named in edits.value.get("scales", {}).items():
                if name in named:
                    edits.set(("scales", other, name), value)

    def leave_out(self, edits: Edits, choice: Choice) -> None:
        """Take out the losses, what is not of the chosen net, and the inputs only those read."""
        left: set[str] = set()
        for index, entry in reversed(list(enumerate(self.spec.layers))):
            path: Path = ("layers", index)
            rules: Raw = {key: entry[key] for key in ("include", "exclude") if key in entry}
            if holds_variables(rules):
                rules = {}
            if path in self.dropped or not _chosen(rules, choice):
                edits.remove(path)
                left.update(as_list(entry.get("bottom", [])))
                if path not in self.dropped:
                    self.say(f"{entry['name']}: left out, it is of another phase or stage")
                continue
            for key in rules:
                edits.remove((*path, key))
        for name in self.spec.inputs:
            if name not in left or name in self.read:
                continue
            edits.remove(("inputs", name))
            self.say(f"{name}: left out, no layer reads it now")
        outputs = [name for name in self.spec.outputs or [] if name not in self.lost()]
        if self.spec.outputs not in (None, outputs):
            edits.set(("outputs",), outputs)

    def lost(self) -> set[str]:
        """Return the tops of the layers that are left out."""
        return {
            top for path in self.dropped
            for entry in [_at(self.spec.document.value, path)]
            for top in as_list(entry.get("top", entry["name"]))
        }  # fmt: skip

    def finish(self, edits: Edits, nets: Sequence[Net], file: str) -> Result:
        """Return the new spec, once its nets are known to be good."""
        text, kept = edits.written()
        report = Report()
        expected = []
        try:
            spec = validate(parse(read_text(file, text, report), report), report)
            for net, extents in zip(nets, self.extents, strict=True):
                choice = copy.copy(net.choice)
                choice.scale = choice.scale if spec.scales else None
                choice.vars = {}
                made = compile_net(spec, choice, report, {}, {})
                self.same_weights(net, made)
                expected.append(self.expectation(net, made, extents))
        except SpecError as error:
            first = error.diagnostics[0]
            self.refuse_net(f"the net that comes of it is wrong: {first.message}")
        self.report.close()
        edits.value["expect"] = expected if len(expected) > 1 else expected[0]
        flow = yaml_text.flow
        said = [f"expect: {flow(expected[0])}"]
        if len(expected) > 1:
            said = ["expect:", *(f"  - {flow(each)}" for each in expected)]
        text, whole = edits.checked("\n".join([text.rstrip(), *said, ""]))
        if not (kept and whole) and "#" in self.spec.document.source.text:
            self.say("written anew: the comments are not kept")
        return Result(text, list(self.changes), self.weights)

    def same_weights(self, old: Net, new: Net) -> None:
        """Refuse the layers whose weights would be others at another size."""
        made = {
            node.name: [weight.shape for weight in (*node.weights, *node.state)]
            for node in new.flat.nodes
        }
        for node in old.flat.nodes:
            shapes = [weight.shape for weight in (*node.weights, *node.state)]
            if node.place.path in self.kernels or made.get(node.name, shapes) == shapes:
                continue
            self.refuse(node, "it has weights for each place, and those would follow the size")

    def expectation(self, old: Net, net: Net, sizes: dict[str, int]) -> Raw:
        """Return what a new net is to be, at the size of the old one; note its outputs."""
        found: Raw = {"scale": net.scale} if net.scale else {}
        sizes = {**batch(net), **sizes}
        cost = macs(net)
        cost = cost.at(sizes) if isinstance(cost, Dim) else cost
        found["at"] = sizes
        if isinstance(net.params.total, int):
            found["params"] = net.params.total
        if isinstance(cost, int):
            found["macs"] = cost
        found["outputs"] = {}
        images = {name: size for name, size in sizes.items() if name not in batch(net)}
        for name, blob in net.outputs.items():
            shape = [size.at(images) if isinstance(size, Dim) else size for size in blob.shape]
            found["outputs"][name] = [str(s) if isinstance(s, Dim) else s for s in shape]
            if name in old.outputs and old.outputs[name].rank < blob.rank:
                self.say(f"{name}: {old.outputs[name]} -> {blob}")
                if not any(isinstance(size, Dim) for size in blob.shape[2:]):
                    self.say(f"{name}: of one size, whatever the size of the input")
        return found


def _unfit(node: Node, maps: Mapping[int, int]) -> tuple[str, str] | None:
    """Return why a layer that reads new maps would mean something else now, and what helps."""
    layer: Any = node.layer
    vector = next((value for value in node.bottoms if id(value) not in maps), None)
    axis = getattr(layer, "axis", 1)
    if layer.family != "activation" and node.type not in SAME:
        return f"{node.type} of a vector is another thing than {node.type} of a map", ""
    if vector is not None:
        return f"`{vector.name}` stays a vector, beside a map", ""
    if axis not in (0, 1):
        return f"its axis is {axis}, and there are more axes now", "write `axis: 1`"
    if len(node.bottoms) == 1 and getattr(layer, "num_axes", 1) not in (0, 1):
        return "it spans all axes, and there are more now", "write `num_axes: 1`"
    return None


def _note_flat(node: Node, flat: dict[int, Node]) -> None:
    """Note the vectors that are maps in another shape, and the layer that made them so."""
    maker = next((flat[id(value)] for value in node.bottoms if id(value) in flat), None)
    if node.type in FLATTENERS and node.bottoms[0].blob and node.bottoms[0].blob.rank > 2:
        maker = node
    if maker is not None:
        flat.update((id(top), maker) for top in node.tops if top.blob and top.blob.rank == 2)


def _chosen(rules: Raw, choice: Choice) -> bool:
    """Return whether the rules of an entry keep it in a net."""
    return choice.keeps(*(as_list(rules.get(key, [])) for key in ("include", "exclude")))


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _times(shape: Sequence[Any]) -> str:
    return "x".join(map(str, shape))
