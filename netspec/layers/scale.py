"""Scale."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Filler, Layer, Reject, canonical_axis, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class Scale(Layer):
    """Multiply by a factor that spans some axes: a learned one, or the second bottom.

    y = factor * x + bias, both repeated along the other axes

    Shape   S  ->  S, and S, S[axis..axis+r-1]  ->  S
    Rejects E402 if the second bottom is not as large as the axes it spans
            E405, E413 if the axes are not all there
            E404 if the second bottom has more axes than are there
    Source  BVLC/caffe, src/caffe/layers/scale_layer.cpp

    There is no offset unless bias_term asks for one. With two bottoms num_axes is ignored: the
    second bottom says how many axes there are, and one of none is a single factor.
    """

    family = "normalisation"
    bottoms = (1, 2)

    axis: int = param(default=1, doc="the first axis the factor spans; negative from the end")
    num_axes: int = param(default=1, minimum=-1, doc="axes it spans; 0 is one factor, -1 the rest")
    filler: Filler = param(default=None, doc="how the factor starts; 1")
    bias_term: bool = param(default=False, doc="learn an offset of the factor's shape")
    bias_filler: Filler = param(default=None, doc="how the offset starts; 0")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the first bottom's blob."""
        spanned(self, *bottoms)
        return bottoms[0]

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that the second bottom is as large as the axes it spans."""
        yield from same_extents(self, *bottoms)

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the factor, unless it is a bottom, and the offset."""
        first, end = spanned(self, *bottoms)
        if len(bottoms) == 1:
            yield "weight", bottoms[0].shape[first:end]
        if self.bias_term:
            yield "bias", bottoms[0].shape[first:end]

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the factor and the offset start, where that is given."""
        named = {"weight": "filler", "bias": "bias_filler"}
        return {w: getattr(self, name) for w, name in named.items() if name in self.given}


def spanned(layer: Layer, *bottoms: Blob) -> tuple[int, int]:
    """Return the first axis a factor or offset spans and the one after the last.

    Rejects E405 for an axis that is not there, E404 or E413 for a span past the last one.
    """
    x = bottoms[0]
    if len(bottoms) == 2 and bottoms[1].rank == 0:
        return 0, 0
    first = canonical_axis(layer, "axis", x)
    count: int = layer.num_axes  # type: ignore[attr-defined]  # Scale and Bias both have it
    if len(bottoms) == 2:
        count = bottoms[1].rank
        if first + count > x.rank:
            raise Reject(
                codes.WrongRank, expected=f"at most {x.rank - first}", rank=count,
                shape=str(bottoms[1]), bottom=1,
            )  # fmt: skip
    elif count == -1:
        count = x.rank - first
    elif first + count > x.rank:
        reason = f"reaches past the last of {x.rank} axes: it starts at axis {first}"
        raise Reject(codes.BadParam, at="num_axes", value=count, reason=reason)
    return first, first + count


def same_extents(layer: Layer, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
    """Yield that a second bottom must have the extents of the axes of the first it spans."""
    if len(bottoms) == 2:
        first, end = spanned(layer, *bottoms)
        for axis, size in zip(range(first, end), bottoms[1].shape, strict=True):
            yield f"axis {axis}", size, bottoms[0].shape[axis], 1
