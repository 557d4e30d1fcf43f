"""LRN."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, need_rank, param


class LRN(Layer):
    """Divide each value by the energy of its neighbours: local response normalisation.

    ACROSS_CHANNELS: y[c] = x[c] * (k + alpha / n * sum over |j - c| <= n/2 of x[j]^2) ^ -beta
    WITHIN_CHANNEL:  y[i] = x[i] * (1 + alpha / n^2 * sum over the n x n around i of x^2) ^ -beta

    Shape   N x C x H x W  ->  same
    Rejects E404 if there are not 4 axes
            E413 if local_size is even
    Source  BVLC/caffe, src/caffe/layers/lrn_layer.cpp

    alpha is divided by the size of the window, and WITHIN_CHANNEL ignores `k`. A window over the
    edge counts what lies outside as 0.
    """

    family = "normalisation"

    local_size: int = param(default=5, minimum=1, doc="extent n of the window; odd")
    alpha: float = param(default=1.0, doc="weight of the energy")
    beta: float = param(default=0.75, doc="exponent")
    norm_region: str = param(
        default="ACROSS_CHANNELS", choices=("ACROSS_CHANNELS", "WITHIN_CHANNEL"), doc="the window"
    )
    k: float = param(default=1.0, doc="added to the energy; ACROSS_CHANNELS only")
    engine: str = param(default="DEFAULT", choices=("DEFAULT", "CAFFE", "CUDNN"), doc="ignored")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        x = bottoms[0]
        if self.local_size % 2 == 0:
            raise Reject(
                codes.BadParam, at="local_size", value=self.local_size, reason="must be odd"
            )
        need_rank(x, 4, 4)
        return x
