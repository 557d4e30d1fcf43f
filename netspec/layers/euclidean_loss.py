"""EuclideanLoss."""

from __future__ import annotations

from ..blob import Blob
from ..dim import product
from ..layer import Layer, need_rank

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class EuclideanLoss(Layer):
    """Add up the squared differences of two bottoms.

    y = (sum over all of (a - b)^2) / (2 * N)

    Both bottoms get a gradient.

    Shape   N x .., N x ..  ->  a scalar
    Rejects E402 if N, or the number of elements of an item, differs
            E404 if a bottom has no axis of items
    Source  BVLC/caffe, src/caffe/layers/euclidean_loss_layer.cpp
    """

    family = "loss"
    bottoms = 2
    reads = ("float", "any")
    loss = True

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a scalar."""
        return batched(*bottoms)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that both have the same items."""
        yield from same_items(bottoms[0], bottoms[1], 1)


def batched(*bottoms: Blob) -> Blob:
    """Return the scalar of a loss whose bottoms have a batch axis. Rejects E404."""
    for index, blob in enumerate(bottoms):
        need_rank(blob, 1, bottom=index)
    return Blob((), bottoms[0].dtype)


def same_items(a: Blob, b: Blob, index: int) -> Iterator[Agreement]:
    """Yield that two blobs have one batch and items of one count."""
    yield "axis 0", b.shape[0], a.shape[0], index
    if b.shape[1:] != a.shape[1:]:
        yield "the items", product(b.shape[1:]), product(a.shape[1:]), index
