"""MVN."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, need_rank, param


class MVN(Layer):
    """Give each channel of each item zero mean and unit variance.

    y = (x - mean) / (sqrt(variance) + eps), over H x W, or over C x H x W with across_channels

    Shape   N x ..  ->  always N x C x H x W: missing axes become 1
    Rejects E404 if there are more than 4 axes
    Source  BVLC/caffe, src/caffe/layers/mvn_layer.cpp

    eps is added after the square root. The gradient is Caffe's: it takes sqrt(variance) + eps for
    the deviation itself, so it is finite for a constant input, and the true one as eps nears 0.
    """

    family = "normalisation"

    normalize_variance: bool = param(default=True, doc="divide by the deviation as well")
    across_channels: bool = param(default=False, doc="one mean for all channels of an item")
    eps: float = param(default=1e-9, doc="added to the deviation")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob with 4 axes."""
        x = bottoms[0]
        need_rank(x, 1, 4)
        return Blob((*x.shape, *[1] * (4 - x.rank)), x.dtype)
