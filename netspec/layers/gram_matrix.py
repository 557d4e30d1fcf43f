"""GramMatrix."""

from __future__ import annotations

from ..blob import Blob
from ..dim import product
from ..layer import Layer, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..dim import Size


class GramMatrix(Layer):
    """Multiply every channel with every other, summed over all places: the style of an image.

    y[n, c, d] = (sum over i of x[n, c, i] * x[n, d, i]) / norm

    norm is, for `normalize`, NONE: 1; SPATIAL: the places D1*..*Dr; FULL: the elements
    C*D1*..*Dr. Published styles differ in it, so it must be said: Gatys puts it into the loss
    (NONE), Johnson divides by the elements (FULL).

    Shape   N x C x D1..Dr  ->  N x C x C
    Rejects E404 if there is no axis of channels
    Source  Gatys et al., arXiv:1508.06576, equation 3; Johnson et al., arXiv:1603.08155
    """

    family = "structure"

    normalize: str = param(choices=("NONE", "SPATIAL", "FULL"), doc="what divides the sums")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a matrix of channels for each item."""
        x = bottoms[0]
        need_rank(x, 2, bottom=0)
        return Blob((x.shape[0], x.channels, x.channels), x.dtype)

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count one for each place of each pair of channels."""
        return tops[0].size * product(bottoms[0].spatial)
