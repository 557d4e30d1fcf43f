"""SpatialPyramidPooling."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import ceil_div, maximum, minimum
from ..layer import Ints, Layer, Reject, listed, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size
    from ..layer import Agreement


class SpatialPyramidPooling(Layer):
    """Pool over coarser and finer grids and join the results: an older form of SPP.

    A level of `spatial_bin` b pools with kernel = stride = floor(D / b), for each spatial extent D.
    Its windows are ceil(D / kernel), which is more than b where b does not divide D: 13 pixels in
    6 bins make 7. A single level is one window over everything, whatever its b.

    Shape   N x C x H x W  ->  N x C*(sum of the windows of all levels); N x C x 1 x 1 for one level
    Rejects E413 if a b is more than H or W
            E404 if there are not 4 axes
            E330 if there is no level
    Source  dsisds/caffe-SPPNet, src/caffe/layers/spatial_pyramid_pooling_layer.cpp. jyclipmine's
            form of the same name has b x b windows that may overlap: not this one.
    """

    family = "pooling"

    spatial_bin: Ints = param(minimum=1, maximum=1024, doc="grid of each level")
    pool: str = param(
        default="MAX", choices=("MAX", "AVE", "STOCHASTIC"),
        doc="ignored: the fork reads that of pooling_param",
    )  # fmt: skip
    scale: float = param(default=1.0, doc="ignored")
    method: str = param(
        default="MAX", message="pooling_param", field="pool",
        choices=("MAX", "AVE", "STOCHASTIC"), doc="as in Pooling",
    )  # fmt: skip

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the windows of all levels in one axis."""
        x = bottoms[0]
        need_rank(x, 4, 4)
        levels = listed(self.spatial_bin)
        if not levels:
            raise Reject(
                codes.WrongCount,
                at="spatial_bin",
                key="spatial_bin",
                expected="at least 1",
                count=0,
            )
        if len(levels) == 1:
            return x.like(spatial=(1, 1))
        for size in x.spatial:
            for level in levels:
                if isinstance(size, int) and level > size:
                    raise self.too_fine(level, size)
        windows: Size = 0
        for level in levels:
            # of an extent that is refused below the kernel would be 0
            h, w = (ceil_div(size, maximum(size // level, 1)) for size in x.spatial)
            windows = windows + (h * w if level > 1 else 1)
        return Blob((x.shape[0], x.channels * windows), x.dtype)

    def too_fine(self, level: int, size: Size) -> Reject:
        """Return the refusal of a level with more windows than elements."""
        reason = f"is more than an extent, {size}"
        return Reject(codes.BadParam, at="spatial_bin", value=level, reason=reason)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that no level has more windows than there are elements."""
        levels = listed(self.spatial_bin)
        for axis, size in enumerate(bottoms[0].spatial, 2):
            for level in levels if len(levels) > 1 else ():
                text = f"axis {axis}, in {level} windows,"
                yield text, minimum(size, level), level, 0, self.too_fine(level, size)
