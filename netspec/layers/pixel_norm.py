"""PixelNorm."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, need_rank, param


class PixelNorm(Layer):
    """Divide each pixel by the root mean square of its channels.

    y[n, c, i] = x[n, c, i] / sqrt(mean over k of x[n, k, i]^2 + eps)

    Shape   N x C x D1..Dr  ->  same
    Rejects E404 if there is no axis of channels
    Source  arXiv 1710.10196, section 4.2
    """

    family = "normalisation"

    eps: float = param(default=1e-8, minimum=0, doc="added to the mean square")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        need_rank(bottoms[0], 2)
        return bottoms[0]
