"""infer: the type of every blob, and the weights and cost of every layer."""

from __future__ import annotations

from . import codes
from .blob import FLOATS, Blob
from .compare import compare, smallest
from .dim import Dim
from .expression import ExpressionError
from .expression import size as parse_size
from .layer import PARAMETRIZATIONS, Reject, reject_filler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .diagnostics import Report
    from .dim import Size
    from .document import Document
    from .graph import Graph, Node
    from .layer import Layer
    from .spec import Spec
    from .text import Span

    _Known = tuple[Sequence[Blob], Sequence["Weight"], Sequence["Weight"], Size]

LARGEST = 2**63 - 1


class Weight:
    """A tensor of a layer: learned, or state updated without gradient."""

    __slots__ = ("decay_mult", "filler", "lr_mult", "name", "owner", "shape")

    def __init__(self, name: str, shape: Sequence[Size]) -> None:
        self.name = name
        self.shape = tuple(shape)
        self.lr_mult: float = 1.0
        self.decay_mult: float = 1.0
        self.filler: dict[str, Any] | None = None
        self.owner: tuple[Node, str] | None = None  # set where another layer owns it

    @property
    def trainable(self) -> bool:
        """Return whether an optimiser may change it."""
        return self.lr_mult != 0

    @property
    def size(self) -> Size:
        """Return its number of elements."""
        count: Size = 1
        for extent in self.shape:
            count = count * extent
        return count


class Condition:
    """Two sizes that must agree, and do for some input sizes only."""

    __slots__ = ("counterexample", "layer", "other", "size", "text")

    def __init__(
        self, layer: str, text: str, counterexample: dict[str, int], size: Size, other: Size
    ) -> None:
        self.layer = layer
        self.text = text
        self.counterexample = counterexample
        self.size = size
        self.other = other


def infer(
    graph: Graph, spec: Spec, report: Report, sizes: Mapping[str, int], shapes: Mapping[str, Any]
) -> tuple[list[Condition], list[Dim]]:
    """Give every value of the graph its blob, and every layer its weights and cost.

    Returns the conditions of the net, and the sizes that must be at least 1.
    """
    return _Inference(report, sizes, shapes).run(graph, spec)


class _Inference:
    def __init__(self, report: Report, sizes: Mapping[str, int], given: Mapping[str, Any]) -> None:
        self.report = report
        self.given = given  # shapes of inputs and of data layers' tops, by name
        self.sizes = dict(sizes)
        self.merges: list[tuple[Node, Size, Size]] = []
        self.fits: dict[Dim, None] = {}
        self.owners: dict[str, tuple[Node, Weight]] = {}  # of weights shared by name
        self.first: dict[str, Node] = {}  # the layer that owns the weights of a key
        self.known: dict[Any, _Known] = {}  # what a layer makes of bottoms it met before
        self.conditional = False
        self.again: list[int] = []  # layers that may still be run again to find a cure

    def run(self, graph: Graph, spec: Spec) -> tuple[list[Condition], list[Dim]]:
        self.inputs(graph, spec)
        for node in graph.nodes:
            if not node.rejected:
                self.layer(node)
        fits = list(self.fits)
        if fits and not self.report.failed and smallest(fits) is None:
            self.never(graph, spec, fits)
        return self.conditions(fits) if self.merges else [], fits

    def never(self, graph: Graph, spec: Spec, fits: list[Dim]) -> None:
        """Report the first size that, with those before it, is at least 1 for no input at all."""
        known, failed = 0, len(fits)
        while failed - known > 1:
            middle = (known + failed) // 2
            known, failed = (known, middle) if smallest(fits[:middle]) is None else (middle, failed)
        wrong = fits[failed - 1]
        values = [*graph.inputs.values(), *(value for node in graph.nodes for value in node.tops)]
        for value in values:
            if value.blob is None or wrong not in value.blob.shape:
                continue
            maker = value.maker
            span = maker.place.span("name") if maker else spec.document.span("inputs", value.name)
            axis = value.blob.shape.index(wrong)
            self.report.add(codes.NeverFits, span, axis=axis, blob=value.name, size=wrong)
            return

    def inputs(self, graph: Graph, spec: Spec) -> None:
        for name in list(graph.inputs):
            value = graph.inputs[name]
            if not value.readers and name not in graph.outputs:
                del graph.inputs[name]  # asked for only where it is read
                continue
            declared = graph.declared[name]
            dtype = "float32"
            path: tuple[str, ...] = ("inputs", name)
            if isinstance(declared, dict):
                dtype = declared.get("dtype", "float32")
                declared = declared["shape"]
                path = (*path, "shape")
            given = self.given.get(name)
            if given is None and (hint := spec.document.wanted_shape(name)):
                self.ask(name, spec.document.span("inputs", name), hint)
                continue
            extents = [
                self.extent(item, spec.document, (*path, axis))
                for axis, item in enumerate(given if given is not None else declared)
            ]
            value.blob = Blob(extents, dtype)

    def ask(self, name: str, span: Span, hint: str) -> None:
        self.report.add(codes.ShapeNeeded, span, input=name, hint=hint)

    def extent(self, item: Any, document: Document, path: tuple[Any, ...]) -> Size:
        if isinstance(item, str):
            try:
                found = parse_size(item)
            except ExpressionError as error:
                span = document.span_in(path, error.start, error.end)
                self.report.fatal(error.code, span, (), **error.facts)
            found = self.bound(found)
            if isinstance(found, Dim):
                self.fits[found] = None
                return found
            item = found
        if item < 1:
            self.report.fatal(
                codes.EmptyBlob, document.span(*path), axis=path[-1], blob=path[1], size=item
            )
        return int(item)

    def layer(self, node: Node) -> None:
        layer = node.layer
        bottoms = []
        for value in node.bottoms:
            if value.blob is None:
                return  # its maker was rejected: no echo
            bottoms.append(value.blob)
        key = (layer, *[(blob.shape, blob.dtype) for blob in bottoms])
        known = self.known.get(key)
        try:
            if known is None:
                known = self.rule(node, bottoms)
                if not self.conditional and not layer.source and not layer.opaque:
                    self.known[key] = known
            tops, node.weights, node.state, node.macs = known
            fixed = node.frozen or node.layer.fixed_weights
            if "param" in node.entry or fixed or node.weight_key != node.name:
                self.weights(node, bottoms)
        except Reject as reject:
            self.reject(node, reject)
            return
        for value, blob in zip(node.tops, tops, strict=True):
            value.blob = blob

    def rule(self, node: Node, bottoms: Sequence[Blob]) -> _Known:
        """Return what the rules of a layer's type say of its bottoms."""
        layer = node.layer
        self.conditional = False
        self.dtypes(node, bottoms)
        told = layer.source or (layer.opaque and self.told(node))
        if layer.opaque and not told:
            self.asked(node)
        found = self.declared(node) if told else layer.infer(*bottoms)
        tops = [self.sized(found)] if isinstance(found, Blob) else [self.sized(b) for b in found]
        for axis, size, other, index, *given in layer.agree(*bottoms):
            size, other = self.bound(size), self.bound(other)
            if size is not other and size != other:
                facts: dict[str, Any] = {"axis": axis, "size": size, "wanted": other}
                mismatch = Reject(codes.ShapeMismatch, None, bottom=index, **facts)
                self.agree(node, size, other, given[0] if given else mismatch)
        self.check(node, tops)
        weights, state = self.tensors(node, bottoms)
        return tops, weights, state, layer.macs(bottoms, tops)

    def told(self, node: Node) -> bool:
        return bool(node.tops) and all(value.name in self.given for value in node.tops)

    def asked(self, node: Node) -> None:
        """Refuse tops whose shape the file does not say and the caller did not give."""
        for value in node.tops:
            hint = node.place.document.wanted_shape(value.name, node.place.path)
            if hint and value.name not in self.given:
                raise Reject(codes.ShapeNeeded, at="top", input=value.name, hint=hint)

    def declared(self, node: Node) -> list[Blob]:
        """Return the tops of a data layer: as the caller gave them, or as its fields say."""
        self.asked(node)
        given = [self.given.get(value.name) for value in node.tops]
        if all(shape is not None for shape in given):
            blobs = [Blob(()) for _ in given]
        else:
            found = node.layer.infer()
            blobs = [found] if isinstance(found, Blob) else list(found)
        path = (*node.place.path, "name")
        return [
            Blob([self.extent(size, node.place.document, path) for size in shape], blob.dtype)
            if shape is not None
            else blob
            for blob, shape in zip(blobs, given, strict=True)
        ]

    def sized(self, blob: Blob) -> Blob:
        """Return a blob with the given symbols put in: a layer's own fields may name some."""
        if self.sizes and any(isinstance(size, Dim) for size in blob.shape):
            return Blob([self.bound(size) for size in blob.shape], blob.dtype)
        return blob

    def bound(self, size: Size) -> Size:
        """Return a size with the given symbols put in."""
        return size.at(self.sizes) if self.sizes and isinstance(size, Dim) else size

    def dtypes(self, node: Node, bottoms: Sequence[Blob]) -> None:
        reads = node.layer.reads
        if reads == "any":
            return
        first = ""
        for index, blob in enumerate(bottoms):
            kind = reads if isinstance(reads, str) else reads[min(index, len(reads) - 1)]
            if kind != "float":
                continue
            first = first or blob.dtype
            if blob.dtype not in FLOATS:
                raise Reject(
                    codes.WrongDtype, expected="a float bottom", dtype=blob.dtype, bottom=index
                )
            if blob.dtype != first:
                raise Reject(
                    codes.WrongDtype, expected=f"bottoms of one dtype, {first}", dtype=blob.dtype,
                    bottom=index,
                )  # fmt: skip

    def agree(self, node: Node, size: Size, other: Size, mismatch: Reject) -> None:
        gap = size - other
        if not isinstance(gap, Dim):
            raise mismatch
        verdict = compare(size, other, list(self.fits))
        if verdict.always:
            return
        if verdict.never or verdict.counterexample is None:
            raise mismatch
        self.merges.append((node, size, other))
        self.conditional = True  # each layer says so for itself

    def conditions(self, fits: list[Dim]) -> list[Condition]:
        """Return the merges that hold for some sizes only, among those every layer fits."""
        found = []
        for node, size, other in self.merges:
            verdict = compare(size, other, fits)
            if not verdict.always and verdict.counterexample is not None:
                sizes = verdict.counterexample
                gap = size - other
                symbols = sorted(gap.symbols) if isinstance(gap, Dim) else []
                failure = ", ".join(f"{symbol}={sizes[symbol]}" for symbol in symbols)
                when = f"{size} against {other}: {verdict.when}; first failure {failure}"
                text = f"{node.name}: {when}"
                found.append(Condition(node.name, text, dict(sizes), size, other))
        return found

    def check(self, node: Node, tops: Sequence[Blob]) -> None:
        for position, blob in enumerate(tops):
            count: Size = 1
            for axis, size in enumerate(blob.shape):
                if type(size) is int:
                    if size < 1:
                        from .refusals import empty

                        raise empty(node, blob, position, axis, size)
                elif isinstance(size, Dim) and size not in self.fits:
                    self.fits[size] = None
                count = count * size
            if type(count) is int and count > LARGEST:
                raise Reject(codes.TooManyElements, blob=node.tops[position].name, count=count)

    # weights

    def tensors(self, node: Node, bottoms: Sequence[Blob]) -> tuple[list[Weight], list[Weight]]:
        """Return the weights and the state of a layer, with their fillers."""
        layer = node.layer
        learned, state = (
            [Weight(name, [self.bound(size) for size in shape]) for name, shape in tensors]
            for tensors in (layer.weights(*bottoms), layer.state(*bottoms))
        )
        for weight in learned + state:
            if type(weight.size) is int and not 0 < weight.size <= LARGEST:
                raise Reject(
                    codes.TooManyElements, blob=f"{node.name}.{weight.name}", count=weight.size
                )
        if (learned or state) and layer.reads != "any" and bottoms:
            dtype = bottoms[0].dtype
            if dtype != "float32":
                raise Reject(
                    codes.WrongDtype, expected="float32, as its weights are", dtype=dtype, bottom=0
                )
        if learned:
            fillers = layer.fillers()
            for weight in learned:
                weight.filler = fillers.get(weight.name)
                reject_filler(layer, weight.filler, weight.shape)
            parametrize(layer, learned, state)
        return learned, state

    def weights(self, node: Node, bottoms: Sequence[Blob]) -> None:
        """Give a layer tensors of its own: with multipliers, frozen, or shared."""
        learned, state = self.tensors(node, bottoms)
        if "param" in node.entry:
            self.params(node, learned, state)
        if node.frozen or node.layer.fixed_weights:
            for weight in learned:
                weight.lr_mult = 0.0
        if node.weight_key != node.name:
            self.share(node, learned, state)
        node.weights, node.state = learned, state

    def params(self, node: Node, learned: list[Weight], state: list[Weight]) -> None:
        entry = node.entry["param"]
        given = entry if isinstance(entry, list) else [entry]
        blobs = node.layer.blob_order(learned, state)
        if len(given) > len(blobs):
            raise Reject(codes.TooManyParams, at="param", count=len(given), weights=len(blobs))
        for index, (item, weight) in enumerate(zip(given, blobs, strict=False)):
            weight.lr_mult = float(item.get("lr_mult", 1.0))
            weight.decay_mult = float(item.get("decay_mult", 1.0))
            if weight in state and weight.lr_mult != 0 and len(given) != len(state):
                here = (index, "lr_mult") if isinstance(entry, list) else ("lr_mult",)
                raise Reject(
                    codes.BadParam, at="param", param="lr_mult", value=item.get("lr_mult", 1),
                    reason="must be 0: the statistics are not learned", inside=here,
                )  # fmt: skip
            if name := item.get("name"):
                self.share_one(node, weight, name, item, index)

    def share_one(
        self, node: Node, weight: Weight, name: str, item: dict[str, Any], index: int
    ) -> None:
        owner, owned = self.owners.setdefault(name, (node, weight))
        if owned is weight:
            return
        weight.owner = (owner, owned.name)
        strict = item.get("share_mode", "STRICT") == "STRICT"
        same = owned.shape == weight.shape if strict else owned.size == weight.size
        if not same:
            self.report.add(
                codes.SharedShapeMismatch,
                _param_span(node, index, "name"),
                [(owner.place.span("name"), f"`{owner.name}` owns it")],
                layer=node.name, weight=name, owner=owner.name,
                shape=_shape(weight.shape), other=_shape(owned.shape),
            )  # fmt: skip
        for key in ("lr_mult", "decay_mult"):
            if key not in item:
                setattr(weight, key, getattr(owned, key))
            elif getattr(owned, key) != float(item[key]):
                self.mult_conflict(node, owner, owned, name, key, item, index)

    def mult_conflict(
        self,
        node: Node,
        owner: Node,
        owned: Weight,
        name: str,
        key: str,
        item: dict[str, Any],
        index: int,
    ) -> None:
        entry = owner.entry["param"]
        entries = entry if isinstance(entry, list) else [entry]
        first: dict[str, Any] = next((each for each in entries if each.get("name") == name), {})
        if key not in first:  # the owner left it open: this one sets it
            setattr(owned, key, float(item[key]))
            return
        self.report.add(
            codes.SharedMultConflict,
            _param_span(node, index, key),
            [(owner.place.span("name"), f"`{owner.name}` owns it")],
            layer=node.name, weight=name, key=key, value=item[key], owner=owner.name,
            other=first[key],
        )  # fmt: skip

    def share(self, node: Node, learned: list[Weight], state: list[Weight]) -> None:
        first = self.first.setdefault(node.weight_key, node)
        if first is node:
            return
        if first.frozen is not node.frozen:
            self.report.add(
                codes.SharedMultConflict,
                node.origin[-1].span("share"),
                [(first.origin[-1].span("name"), f"`{first.name}` stands in here")],
                layer=node.name, weight=first.name, key="freeze", value=node.frozen,
                owner=first.name, other=first.frozen,
            )  # fmt: skip
        theirs = {weight.name: weight for weight in (*first.weights, *first.state)}
        for weight in learned + state:
            owned = theirs.get(weight.name)
            weight.owner = (first, weight.name)
            if owned is None or owned.shape != weight.shape:
                self.report.add(
                    codes.SharedShapeMismatch,
                    node.place.span("name"),
                    [(first.place.span("name"), f"`{first.name}` made it")],
                    layer=node.name, weight=weight.name, owner=first.name,
                    shape=_shape(weight.shape), other=_shape(owned.shape) if owned else "not",
                )  # fmt: skip

    def reject(self, node: Node, reject: Reject) -> None:
        from .refusals import told

        span, related, facts = told(node, reject, self.again)
        self.report.add(reject.code, span, related, **facts)


def parametrize(layer: Layer, learned: list[Weight], state: list[Weight]) -> None:
    """Give a weight that is computed from what is stored the form in which it is stored.

    The names are those of torch.nn.utils.parametrize. Spectral norm keeps the vectors of its
    power iteration as state. Rejects E407 where two forms are asked for, E413 where there is no
    one weight.
    """
    at, *others = [name for name in PARAMETRIZATIONS if getattr(layer, name, False)] or [""]
    if not at:
        return
    weight = next((weight for weight in learned if weight.name == "weight"), None)
    if weight is None:
        raise Reject(codes.BadParam, at=at, value=True, reason="is for layers with one weight")
    if others:
        raise Reject(codes.ParamConflict, at=others[0], param=others[0], other=at)
    weight.name = "parametrizations.weight.original"
    if at == "equalized_lr":
        weight.filler = weight.filler or {"type": "gaussian"}
    elif at == "spectral_norm":
        outputs = weight.shape[layer.output_axis()]
        for name, size in ("_u", outputs), ("_v", weight.size // outputs):
            state.append(Weight(f"parametrizations.weight.0.{name}", (size,)))


def _param_span(node: Node, index: int, key: str) -> Span:
    if isinstance(node.entry["param"], list):
        return node.place.span("param", index, key)
    return node.place.span("param", key)


def _shape(shape: Sequence[Size]) -> str:
    return "x".join(map(str, shape))
