"""RMSNorm."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, param
from .layer_norm import averaged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class RMSNorm(Layer):
    """Divide the values along some axes by their root mean square.

    y = weight * x / sqrt(mean of x^2 + eps)

    Shape   same
    Rejects E405, E413 if the axes are not all there
    Source  arXiv 1910.07467
    """

    family = "normalisation"

    axis: int = param(default=-1, doc="the first axis averaged over; negative from the end")
    num_axes: int = param(default=-1, minimum=-1, doc="axes averaged over; -1 is the rest")
    eps: float = param(default=1e-6, minimum=0, doc="added to the mean square")
    affine: bool = param(default=True, doc="learn a factor for each value along the axes")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        averaged(self, bottoms[0])
        return bottoms[0]

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the factor, if it is learned."""
        if self.affine:
            first, end = averaged(self, bottoms[0])
            yield "weight", bottoms[0].shape[first:end]
