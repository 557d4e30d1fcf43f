"""Interp."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import minimum
from ..layer import Layer, Reject, given_together, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size
    from ..layer import Agreement


class Interp(Layer):
    """Resize height and width by bilinear interpolation; the corners stay where they are.

    y[i] interpolates x at i * (D - 1)/(E - 1), along each axis

    Shape   N x C x H x W  ->  N x C x E1 x E2, for each D = extent + pad_beg + pad_end:
            E = height or width, if given, else D is first shrunk to (D - 1)/shrink_factor + 1,
            cut to an integer, then zoomed to D + (D - 1)*(zoom_factor - 1)
    Rejects E404 if there are not 4 axes
            E407 if a size and a factor are both given; E408 if neither is
            E402 if an extent is cut off whole
    Source  hszhao/PSPNet, src/caffe/layers/interp_layer.cpp
    """

    family = "pooling"

    height: int = param(default=None, minimum=1, doc="height of the top, pixels")
    width: int = param(default=None, minimum=1, doc="width of the top, pixels")
    zoom_factor: int = param(default=None, minimum=1, doc="how much larger; the corners stay")
    shrink_factor: int = param(default=None, minimum=1, doc="how much smaller; the corners stay")
    pad_beg: int = param(default=0, maximum=0, doc="minus the pixels cut off at the start")
    pad_end: int = param(default=0, maximum=0, doc="minus the pixels cut off at the end")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the resized blob."""
        x = bottoms[0]
        need_rank(x, 4, 4)
        sizes = [name for name in ("height", "width") if name in self.given]
        factors = [name for name in ("zoom_factor", "shrink_factor") if name in self.given]
        if sizes and factors:
            raise Reject(codes.ParamConflict, at=factors[0], param=factors[0], other=sizes[0])
        if given_together(self, "height", "width"):
            return x.like(spatial=(self.height, self.width))
        if not factors:
            raise Reject(codes.ParamMissing, param="zoom_factor", what=" or height and width")
        return x.like(spatial=[self.scaled(size) for size in x.spatial])

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that something is left of each extent once it is cut."""
        for axis, size in enumerate(bottoms[0].spatial, 2):
            kept = size + self.pad_beg + self.pad_end
            yield f"what is left of axis {axis}", minimum(kept, 1), 1, 0

    def scaled(self, size: Size) -> Size:
        """Return an extent, shrunk and zoomed."""
        size = size + self.pad_beg + self.pad_end
        size = (size - 1) // (self.shrink_factor or 1) + 1
        return size + (size - 1) * ((self.zoom_factor or 1) - 1)
