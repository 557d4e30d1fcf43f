"""Net: a spec's typed graph for one phase and scale, with what is known about it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .blob import Blob
    from .dim import Dim, Size
    from .expand import Choice
    from .graph import Graph, Node, Value
    from .infer import Condition, Weight
    from .spec import Spec


class Top:
    """A blob a layer makes: its name, shape and dtype."""

    __slots__ = ("blob", "dtype", "shape")

    def __init__(self, value: Value) -> None:
        self.blob = value.name
        self.shape: tuple[Size, ...] = value.blob.shape if value.blob else ()
        self.dtype = value.blob.dtype if value.blob else "float32"

    def __repr__(self) -> str:
        return f"{self.blob}: {_dims(self.shape)} {self.dtype}"


class LayerView:
    """One layer of a net, as the API shows it."""

    __slots__ = ("bottoms", "macs", "name", "node", "state", "tops", "type", "weights")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.name = node.name
        self.type = node.type
        self.bottoms = [value.name for value in node.bottoms]
        self.tops = [Top(value) for value in node.tops]
        self.weights: Sequence[Weight] = node.weights
        self.state: Sequence[Weight] = node.state
        self.macs: Size = node.macs

    def __repr__(self) -> str:
        return f"{self.name} ({self.type}) -> {', '.join(map(str, self.tops))}"


class Params:
    """Counts of learnable weights, each once, and of buffers (batch statistics)."""

    __slots__ = ("buffers", "frozen", "total", "trainable")

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.trainable: Size = 0
        self.frozen: Size = 0
        self.buffers: Size = 0
        for node in nodes:
            for weight in node.weights:
                if weight.owner is None:
                    if weight.trainable:
                        self.trainable = self.trainable + weight.size
                    else:
                        self.frozen = self.frozen + weight.size
            for weight in node.state:
                if weight.owner is None:
                    self.buffers = self.buffers + weight.size
        self.total: Size = self.trainable + self.frozen

    def __repr__(self) -> str:
        return f"Params(total={self.total}, trainable={self.trainable}, frozen={self.frozen})"


class Net:
    """A typed graph: layers in execution order, inputs, outputs, cost and conditions."""

    def __init__(
        self,
        spec: Spec,
        choice: Choice,
        graph: Graph,
        conditions: Sequence[Condition],
        fits: Sequence[Dim],
    ) -> None:
        self.spec = spec
        self.choice = choice
        self.flat = graph
        self.conditions = tuple(conditions)
        self.fits = tuple(fits)
        self._graph: Any = None
        self._params: Params | None = None

    def __repr__(self) -> str:
        return f"<Net {self.name}: {len(self.flat.nodes)} layers, {self.params.total} params>"

    @property
    def name(self) -> str:
        """Return the name of the net: the scale's, where one was chosen."""
        return self.scale or self.spec.name

    @property
    def phase(self) -> str:
        """Return `test` or `train`."""
        return self.choice.phase.lower()

    @property
    def scale(self) -> str | None:
        """Return the scale that was chosen."""
        return self.choice.scale

    @property
    def stages(self) -> tuple[str, ...]:
        """Return the stages that were chosen."""
        return self.choice.stages

    @property
    def inputs(self) -> dict[str, Blob]:
        """Return the blobs the net reads, in the order declared; data layers' tops among them."""
        found = {name: value.blob for name, value in self.flat.inputs.items()}
        for node in self.flat.nodes:
            if node.layer.source:
                found.update((value.name, value.blob) for value in node.tops)
        return {name: blob for name, blob in found.items() if blob is not None}

    @property
    def outputs(self) -> dict[str, Blob]:
        """Return the blobs the net gives."""
        found = self.flat.outputs
        return {name: value.blob for name, value in found.items() if value.blob is not None}

    @property
    def layers(self) -> list[LayerView]:
        """Return the layers in execution order."""
        return [LayerView(node) for node in self.flat.nodes]

    @property
    def params(self) -> Params:
        """Return the counts of weights."""
        if self._params is None:
            self._params = Params(self.flat.nodes)
        return self._params

    @property
    def macs(self) -> Size:
        """Return the multiply-accumulates of one forward pass, whole batch."""
        from .analysis.cost import macs

        return macs(self)

    @property
    def graph(self) -> Any:
        """Return the networkx MultiDiGraph: layers and inputs as nodes, blobs as edges.

        An edge's key is (top slot, bottom slot), so that `x + x` has two.
        """
        if self._graph is None:
            import networkx

            graph: Any = networkx.MultiDiGraph(name=self.name)
            for name, value in self.flat.inputs.items():
                graph.add_node(name, type="Input", blob=value.blob)
            for node in self.flat.nodes:
                graph.add_node(node.name, type=node.type, layer=node.layer, macs=node.macs)
                for slot, value in enumerate(node.bottoms):
                    maker = value.maker.name if value.maker else value.name
                    made = value.maker.tops.index(value) if value.maker else 0
                    graph.add_edge(maker, node.name, key=(made, slot), blob=value.name,
                                   shape=value.blob.shape if value.blob else None)  # fmt: skip
            self._graph = graph
        return self._graph

    def summary(self) -> str:
        """Return the table of layers, shapes, weights and MACs that `netspec check` prints."""
        from .summary import table

        return table(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from .summary import bundle

        return bundle(self)


def _dims(shape: Sequence[Size]) -> str:
    return "x".join(map(str, shape))
