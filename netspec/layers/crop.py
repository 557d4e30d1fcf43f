"""Crop."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import minimum
from ..layer import Ints, Layer, Reject, canonical_axis, listed, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size


class Crop(Layer):
    """Cut a blob to the extents of another one, from `axis` on.

    y[.., i, ..] = x[.., offset + i, ..]

    The second bottom gives its extents only.

    Shape   S, R  ->  S[:axis] x R[axis:]
    Rejects E402 if offset + R[i] is more than S[i]
            E404 if the second bottom has no axis `i`
            E412 if `offset` is given neither once nor once for each cropped axis
            E405 if there is no axis `axis`
    Source  BVLC/caffe, src/caffe/layers/crop_layer.cpp
    """

    family = "shape"
    bottoms = 2
    reads = "any"
    no_gradient = (1,)

    axis: int = param(default=2, doc="the first axis that is cropped; negative from the end")
    offset: Ints = param(
        default=None, minimum=0, doc="where the cut starts: for all axes, or for each; 0"
    )

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the kept axes, then the extents of the second bottom."""
        x, like = bottoms
        axis = canonical_axis(self, "axis", x)
        need_rank(like, x.rank, bottom=1)
        self.offsets(x)
        return Blob((*x.shape[:axis], *like.shape[axis : x.rank]), x.dtype)

    def offsets(self, x: Blob) -> list[int]:
        """Return where the cut starts on each cropped axis."""
        cropped = x.rank - canonical_axis(self, "axis", x)
        offsets = listed(self.offset) or [0]
        if len(offsets) not in (1, cropped):
            raise Reject(codes.WrongParamCount, at="offset", count=len(offsets), axes=cropped)
        return offsets * cropped if len(offsets) == 1 else offsets

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that every cut ends inside the first bottom."""
        x, like = bottoms
        axis = canonical_axis(self, "axis", x)
        for index, offset in enumerate(self.offsets(x), axis):
            end = like.shape[index] + offset
            text = f"axis {index}, from {offset} on," if offset else f"axis {index}"
            yield text, end, minimum(end, x.shape[index]), 1
