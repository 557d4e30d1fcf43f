"""Normalize."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Filler, Layer, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class Normalize(Layer):
    """Divide by the L2 norm of the item or of each pixel, then multiply by a learned factor.

    y[n, c, i] = weight[c] * x[n, c, i] / sqrt(sum of x[n]^2 + eps), the sum over all channels,
    and over all pixels with across_spatial

    Shape   N x C x D1..Dr  ->  same
    Rejects E404 if there is no axis of channels
    Source  weiliu89/caffe (ssd), src/caffe/layers/normalize_layer.cpp
    """

    family = "normalisation"
    message = "norm_param"

    across_spatial: bool = param(default=True, doc="one norm for all pixels of an item")
    scale_filler: Filler = param(default=None, doc="how the factor starts; 1")
    channel_shared: bool = param(default=True, doc="one factor for all channels")
    eps: float = param(default=1e-10, minimum=0, doc="added to the sum of squares")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        need_rank(bottoms[0], 2)
        return bottoms[0]

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the factor; a shared one has no axis."""
        yield "weight", () if self.channel_shared else (bottoms[0].channels,)

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the factor starts, where that is given."""
        return {"weight": self.scale_filler} if "scale_filler" in self.given else {}
