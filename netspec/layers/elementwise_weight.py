"""ElementwiseWeight."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Filler, Layer, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class ElementwiseWeight(Layer):
    """Multiply each element of an item by a learned weight of its own.

    y[n, i] = w[i] * x[n, i]

    Shape   N x S  ->  N x S
    Rejects E404 if an item has no axis
    Source  Zhang et al., ST-ResNet, arXiv:1610.00081, equation 3
    """

    family = "dense"

    weight_filler: Filler = param(default=None, doc="how the weights start; 1")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's shape."""
        need_rank(bottoms[0], 2, bottom=0)
        return bottoms[0]

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield one weight for each element of an item."""
        yield "weight", bottoms[0].shape[1:]
