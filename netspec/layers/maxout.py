"""Maxout."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, canonical_axis, param
from .glu import part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size


class Maxout(Layer):
    """Cut the channels into equal pieces and keep the largest value at each place.

    y[c] = largest over j < pieces of x[c + j * C/pieces]

    Shape   S  ->  S with C/pieces along `axis`
    Rejects E405 if there is no such axis
            E413 if `pieces` does not divide its extent
    Source  arXiv 1302.4389; the order of the pieces as arXiv 1511.02683

    It is a Slice and an Eltwise MAX in one.
    """

    family = "activation"

    pieces: int = param(default=2, minimum=1, doc="values each output is the largest of")
    axis: int = param(default=1, doc="the axis that is cut; negative from the end")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the channels of one piece."""
        x = bottoms[0]
        axis = canonical_axis(self, "axis", x)
        return x.resized(axis, part(self, "pieces", x.shape[axis], self.pieces))

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that the pieces are equal."""
        axis = canonical_axis(self, "axis", bottoms[0])
        size = bottoms[0].shape[axis]
        yield f"axis {axis}", size, size // self.pieces * self.pieces, 0
