"""SPP."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import ceil_div, minimum
from ..layer import Layer, Reject, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size


class SPP(Layer):
    """Pool over grids of 1x1, 2x2, 4x4, .. windows and join the results: a spatial pyramid.

    Level l pools with kernel = stride = ceil(D / 2^l) and pad = (kernel * 2^l - D + 1) / 2, cut
    to an integer, for each spatial extent D.

    Shape   N x C x H x W  ->  N x C*(4^h - 1)/3 for h = pyramid_height; N x C x 1 x 1 for h = 1
    Rejects E413 if a pad is not below its kernel: H or W is too small for the last level
            E404 if there are not 4 axes
    Source  BVLC/caffe, src/caffe/layers/spp_layer.cpp, GetPoolingParam; arXiv 1406.4729
    """

    family = "pooling"

    pyramid_height: int = param(minimum=1, maximum=16, doc="levels; level l has 2^l x 2^l windows")
    pool: str = param(default="MAX", choices=("MAX", "AVE", "STOCHASTIC"), doc="as in Pooling")
    engine: str = param(default="DEFAULT", choices=("DEFAULT", "CAFFE", "CUDNN"), doc="ignored")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the windows of all levels in one axis."""
        x = bottoms[0]
        need_rank(x, 4, 4)
        for level, axis, kernel, pad in self.grids(x):
            if isinstance(kernel, int) and isinstance(pad, int) and pad >= kernel:
                raise Reject(
                    codes.BadParam, at="pyramid_height", value=self.pyramid_height,
                    reason=f"makes level {level} pad axis {axis} of {x} by {pad}, "
                    f"which is not below its kernel {kernel}",
                )  # fmt: skip
        if self.pyramid_height == 1:
            return x.like(spatial=(1, 1))
        return Blob((x.shape[0], x.channels * ((4**self.pyramid_height - 1) // 3)), x.dtype)

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that every pad is below its kernel."""
        for level, axis, kernel, pad in self.grids(bottoms[0]):
            text = f"pad and kernel - 1 of axis {axis}, level {level},"
            yield text, pad, minimum(pad, kernel - 1), 0

    def grids(self, x: Blob) -> Iterator[tuple[int, int, Size, Size]]:
        """Yield level, axis, kernel and pad of each grid."""
        for level in range(self.pyramid_height):
            for axis, size in enumerate(x.spatial, 2):
                kernel = ceil_div(size, 2**level)
                yield level, axis, kernel, (kernel * 2**level - size + 1) // 2
