"""Axpy."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, need_rank

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size
    from ..layer import Agreement


class Axpy(Layer):
    """Scale each channel of the second bottom by the first, and add the third.

    y[n, c, i] = a[n, c] * x[n, c, i] + b[n, c, i]

    Shape   N x C [x 1 ..], N x C x D1..Dr, N x C x D1..Dr  ->  N x C x D1..Dr
    Rejects E402 if the bottoms do not fit
            E404 if the first two have no axis of channels, or the summands differ in rank
    Source  hujie-frank/SENet, src/caffe/layers/axpy_layer.cpp
    """

    family = "merge"
    bottoms = 3

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the second bottom's shape."""
        a, x, b = bottoms
        for index, blob in (0, a), (1, x):
            need_rank(blob, 2, bottom=index)
        need_rank(b, x.rank, x.rank, 2)
        return x

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield one factor for each channel, and that the summands have one shape."""
        a, x, b = bottoms
        for axis, size in enumerate(a.shape):
            yield f"axis {axis}", x.shape[axis] if axis < 2 else 1, size, 1 if axis < 2 else 0
        for axis, (size, wanted) in enumerate(zip(b.shape, x.shape, strict=True)):
            yield f"axis {axis}", size, wanted, 2

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count one for each element."""
        return tops[0].size
