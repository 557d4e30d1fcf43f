"""Reorg."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, need_rank, param
from .pixel_unshuffle import multiples, reject_remainder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size


class Reorg(Layer):
    """Move pixels into channels as darknet does: the passthrough of YOLOv2.

    Darknet first takes the bottom's memory for C/(s*s) x s*H x s*W, moves each s x s block of
    that into s*s groups of channels, and then takes the result for C*s*s x H/s x W/s. This is
    not PixelUnshuffle, nor any other reordering of whole pixels; weights trained with darknet
    need it. With `reverse`, groups of channels become s x s pixels, plainly. With `whole_pixels`
    the s x s pixels of a block become groups of channels, as plainly: y[n, (i*s + j)*C + c, h, w]
    = x[n, c, s*h + i, s*w + j], which is TensorFlow's space to depth and darknet's reorg3d.

    Shape   N x C x H x W  ->  N x C*s*s x H/s x W/s, s = stride;
            with reverse  N x C/(s*s) x s*H x s*W
    Rejects E404 if there are not 4 axes
            E413 if s*s does not divide C, or s not H and W; with `whole_pixels` C may be any
    Source  pjreddie/darknet, src/blas.c, reorg_cpu; src/reorg_layer.c
            AlexeyAB/darknet, src/reorg_layer.c (whole_pixels)
    """

    family = "shape"
    reads = "any"

    stride: int = param(default=2, minimum=1, doc="how much smaller height and width become")
    reverse: bool = param(default=False, doc="larger instead of smaller")
    whole_pixels: bool = param(default=False, doc="move whole pixels; reverse does so anyway")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the reordered blob."""
        x, stride = bottoms[0], self.stride
        need_rank(x, 4, 4)
        plain = self.whole_pixels and not self.reverse
        if not plain and x.channels % (stride * stride) != 0:
            raise Reject(
                codes.BadParam, at="stride", value=stride,
                reason=f"needs a multiple of {stride * stride} channels, not {x.channels}",
            )  # fmt: skip
        if self.reverse:
            return x.like(x.channels // (stride * stride), [size * stride for size in x.spatial])
        reject_remainder("stride", stride, x)
        return x.like(x.channels * stride * stride, [size // stride for size in x.spatial])

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that height and width are multiples of the stride."""
        if not self.reverse:
            yield from multiples(bottoms[0], self.stride)
