"""Counts of a net: weights, MACs, and sums of symbolic sizes."""

from __future__ import annotations

from ..dim import Dim, product

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..dim import Size
    from ..graph import Node
    from ..net import Net


def total(sizes: Iterable[Size]) -> Size:
    """Return the sum of sizes; equal symbolic ones are counted first, and added once."""
    whole = 0
    tally: dict[Dim, int] = {}
    for size in sizes:
        if isinstance(size, Dim):
            tally[size] = tally.get(size, 0) + 1
        else:
            whole += size
    found: Size = whole
    for size, count in tally.items():
        found = found + size * count
    return found


def macs(net: Net) -> Size:
    """Return the multiply-accumulates of one forward pass, whole batch; FLOPs are twice that."""
    return total(node.macs for node in net.flat.nodes)


def weights_of(node: Node) -> Size:
    """Return the number of learnable weights a layer owns; those it shares are another's."""
    count: Size = 0
    for weight in node.weights:
        if weight.owner is None:
            count = count + product(weight.shape)
    return count


def batch(net: Net) -> dict[str, int]:
    """Return 1 for every symbol that is only ever the first axis of an input: the batch.

    Costs of a net whose batch is left open are given for one item.
    """
    first: set[str] = set()
    rest: set[str] = set()
    for blob in net.inputs.values():
        for axis, size in enumerate(blob.shape):
            if isinstance(size, Dim):
                (rest if axis else first).update(size.symbols)
    return dict.fromkeys(sorted(first - rest), 1)


def bound(size: Size, sizes: Mapping[str, int]) -> Size:
    """Return a size with `sizes` put in for its symbols."""
    return size.at(sizes) if isinstance(size, Dim) else size
