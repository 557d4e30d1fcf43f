"""InstanceNorm."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class InstanceNorm(Layer):
    """Give each channel of each item zero mean and unit variance.

    y[n, c, i] = (x[n, c, i] - mean[n, c]) / sqrt(variance[n, c] + eps)
    with affine: y[n, c, i] = weight[c] * (the same) + bias[c]

    Shape   N x C x D1..Dr  ->  same, for r = 1, 2 or 3
    Rejects E404 if there are other axes
    Source  arXiv 1607.08022
    """

    family = "normalisation"

    eps: float = param(default=1e-5, minimum=0, doc="added to the variance")
    affine: bool = param(default=False, doc="learn a factor and an offset per channel")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        x = bottoms[0]
        need_rank(x, 3, 5)
        return x

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the factor and the offset, if they are learned."""
        if self.affine:
            yield "weight", (bottoms[0].channels,)
            yield "bias", (bottoms[0].channels,)
