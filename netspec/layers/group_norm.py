"""GroupNorm."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class GroupNorm(Layer):
    """Give each group of channels of each item zero mean and unit variance.

    y = weight[c] * (x - mean[n, g]) / sqrt(variance[n, g] + eps) + bias[c], g = c // (C / groups)

    Shape   N x C x D1..Dr  ->  same
    Rejects E401 if num_groups does not divide C
            E404 if there is no axis of channels
    Source  arXiv 1803.08494
    """

    family = "normalisation"

    num_groups: int = param(default=32, minimum=1, doc="groups of channels")
    eps: float = param(default=1e-5, minimum=0, doc="added to the variance")
    affine: bool = param(default=True, doc="learn a factor and an offset per channel")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        x = bottoms[0]
        need_rank(x, 2)
        if isinstance(x.channels, int) and x.channels % self.num_groups:
            raise Reject(
                codes.NotDivisible, at="num_groups", value=self.num_groups, side="input",
                channels=x.channels,
            )  # fmt: skip
        return x

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that the groups are equal."""
        channels = bottoms[0].channels
        yield "axis 1", channels, channels // self.num_groups * self.num_groups, 0

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the factor and the offset, if they are learned."""
        if self.affine:
            yield "weight", (bottoms[0].channels,)
            yield "bias", (bottoms[0].channels,)
