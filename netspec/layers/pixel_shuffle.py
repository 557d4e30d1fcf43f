"""PixelShuffle."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, need_rank, param


class PixelShuffle(Layer):
    """Move blocks of channels into space: each r*r channels become r x r pixels.

    y[n, c, r*h + i, r*w + j] = x[n, c*r*r + i*r + j, h, w], r = upscale_factor

    Shape   N x C x H x W  ->  N x C/(r*r) x r*H x r*W
    Rejects E404 if there are not 4 axes
            E413 if r*r does not divide C
    Source  arXiv 1609.05158, equation 4; torch.nn.PixelShuffle
    """

    family = "shape"
    reads = "any"

    upscale_factor: int = param(minimum=1, doc="how much larger height and width become")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the larger blob of fewer channels."""
        x, factor = bottoms[0], self.upscale_factor
        need_rank(x, 4, 4)
        if x.channels % (factor * factor) != 0:
            raise Reject(
                codes.BadParam, at="upscale_factor", value=factor,
                reason=f"needs a multiple of {factor * factor} channels, not {x.channels}",
            )  # fmt: skip
        return x.like(x.channels // (factor * factor), [size * factor for size in x.spatial])
