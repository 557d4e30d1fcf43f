"""Memory of a net: what its weights take, and its blobs by liveness."""

from __future__ import annotations

from ..dim import Dim
from .cost import bound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..dim import Size
    from ..graph import Value
    from ..net import Net

BYTES = {
    "float64": 8, "int64": 8, "float32": 4, "int32": 4, "float16": 2, "bfloat16": 2, "int16": 2,
    "uint8": 1, "int8": 1, "bool": 1,
}  # fmt: skip


class Memory:
    """Bytes of a net at known sizes.

    `weights` holds learned weights and buffers; `peak` is the most that blobs take at once in
    inference, each freed after its last reader; `saved` is all of them, as training keeps them
    for the backward pass. A top in place takes nothing.
    """

    __slots__ = ("peak", "saved", "weights")

    def __init__(self, weights: int, peak: int, saved: int) -> None:
        self.weights = weights
        self.peak = peak
        self.saved = saved

    @property
    def inference(self) -> int:
        """Return the bytes of a forward pass: weights, and blobs at their peak."""
        return self.weights + self.peak

    @property
    def training(self) -> int:
        """Return the bytes of a training step: weights, their gradients, and saved blobs."""
        return 2 * self.weights + self.saved


def memory(net: Net, sizes: Mapping[str, int]) -> Memory | None:
    """Return the memory of a net at `sizes`; None where a size stays symbolic."""
    known: dict[Size, Size] = {}
    counted: dict[int, Size] = {}  # by id: a blob passes through many layers as it is

    def taken(value: Value) -> Size:
        blob = value.blob
        if blob is None:
            return 0
        found = counted.get(id(blob))
        if found is None:
            found = BYTES.get(blob.dtype, 4)
            for extent in blob.shape:
                if isinstance(extent, Dim):
                    if extent not in known:
                        known[extent] = extent.at(sizes)
                    extent = known[extent]
                found = found * extent
            counted[id(blob)] = found
        return found

    nodes = net.flat.nodes
    params = net.params
    weights = bound(params.total + params.buffers, sizes) * 4
    kept = {id(value) for value in net.flat.outputs.values()}
    live: Size = 0
    for value in net.flat.inputs.values():
        live = live + taken(value)
    peak = saved = live
    waiting: dict[int, int] = {}
    origin: dict[int, Value] = {}  # the blob whose memory an in-place version lives in
    for value in net.flat.inputs.values():
        waiting[id(value)] = len(value.readers)
    for node in nodes:
        for slot, value in enumerate(node.tops):
            waiting[id(value)] = len(value.readers)
            bottom = node.bottoms[slot] if slot < len(node.bottoms) else None
            if node.in_place and bottom is not None and bottom.name == value.name:
                origin[id(value)] = origin.get(id(bottom), bottom)
                waiting[id(bottom)] += 1  # its memory goes on under the new version
                continue
            size = taken(value)
            live = live + size
            saved = saved + size
        if isinstance(live, Dim):
            return None
        peak = max(peak, live)  # type: ignore[type-var]
        for value in (*node.bottoms, *node.tops):
            left = waiting.get(id(value))
            if left is None:
                continue
            if value.maker is not node:
                left -= 1
                waiting[id(value)] = left
            if left == 0 and id(value) not in kept:
                live = live - taken(origin.get(id(value), value))
                waiting[id(value)] = -1
    if isinstance(weights, Dim) or isinstance(peak, Dim) or isinstance(saved, Dim):
        return None
    return Memory(weights, peak, saved)
