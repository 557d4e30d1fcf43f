"""PixelUnshuffle."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size


class PixelUnshuffle(Layer):
    """Move blocks of pixels into channels: each r x r pixels become r*r channels.

    y[n, c*r*r + i*r + j, h, w] = x[n, c, r*h + i, r*w + j], r = downscale_factor

    Shape   N x C x H x W  ->  N x C*r*r x H/r x W/r
    Rejects E404 if there are not 4 axes
            E413 if r does not divide H and W
    Source  torch.nn.PixelUnshuffle
    """

    family = "shape"
    reads = "any"

    downscale_factor: int = param(minimum=1, doc="how much smaller height and width become")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the smaller blob of more channels."""
        x, factor = bottoms[0], self.downscale_factor
        need_rank(x, 4, 4)
        reject_remainder("downscale_factor", factor, x)
        return x.like(x.channels * factor * factor, [size // factor for size in x.spatial])

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that height and width are multiples of the factor."""
        yield from multiples(bottoms[0], self.downscale_factor)


def reject_remainder(name: str, factor: int, x: Blob) -> None:
    """Reject E413 known extents that `factor` does not divide; `multiples` judges the others."""
    for size in x.spatial:
        if isinstance(size, int) and size % factor:
            raise Reject(
                codes.BadParam, at=name, value=factor,
                reason=f"must divide the extents of its bottom, here {x}",
            )  # fmt: skip


def multiples(x: Blob, factor: int) -> Iterator[tuple[str, Size, Size, int]]:
    """Yield that `factor` must divide the spatial extents."""
    for axis, size in enumerate(x.spatial, 2):
        yield f"axis {axis} and its multiple of {factor}", size, size // factor * factor, 0
