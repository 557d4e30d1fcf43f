"""Bias."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Filler, Layer, param
from .scale import same_extents, spanned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class Bias(Layer):
    """Add an offset that spans some axes: a learned one, or the second bottom.

    y = x + offset, repeated along the other axes

    Shape   S  ->  S, and S, S[axis..axis+r-1]  ->  S
    Rejects E402 if the second bottom is not as large as the axes it spans
            E405, E413 if the axes are not all there
    Source  BVLC/caffe, src/caffe/layers/bias_layer.cpp
    """

    family = "normalisation"
    bottoms = (1, 2)

    axis: int = param(default=1, doc="the first axis the offset spans; negative from the end")
    num_axes: int = param(default=1, minimum=-1, doc="axes it spans; 0 is one offset, -1 the rest")
    filler: Filler = param(default=None, doc="how the offset starts; 0")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the first bottom's blob."""
        spanned(self, *bottoms)
        return bottoms[0]

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that the second bottom is as large as the axes it spans."""
        yield from same_extents(self, *bottoms)

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the offset, unless it is a bottom."""
        if len(bottoms) == 1:
            first, end = spanned(self, *bottoms)
            yield "bias", bottoms[0].shape[first:end]

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the offset starts, where that is given."""
        return {"bias": self.filler} if "filler" in self.given else {}
