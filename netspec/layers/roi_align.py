"""ROIAlign."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, param
from .roi_pooling import check_regions, five_numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size


class ROIAlign(Layer):
    """Average bilinear samples in a grid of windows over each region of interest.

    A region is [batch index, x1, y1, x2, y2] in pixels of the image; nothing is rounded. A
    window takes sampling_ratio x sampling_ratio samples, evenly spread, or as many as it has
    elements for 0. A sample more than one element outside counts as 0.

    Shape   N x C x H x W, R x 5  ->  R x C x pooled_h x pooled_w
    Rejects E404 if there are not 4 axes; E402 if a region has not 5 numbers
    Source  arXiv 1703.06870, section 3; torchvision.ops.roi_align
    """

    family = "pooling"
    bottoms = 2
    no_gradient = (1,)

    pooled_h: int = param(minimum=1, doc="windows along the height")
    pooled_w: int = param(minimum=1, doc="windows along the width")
    spatial_scale: float = param(
        default=1.0, exclusiveMinimum=0, doc="pixels of the bottom for one of the image, as 0.0625"
    )
    sampling_ratio: int = param(default=0, minimum=0, doc="samples along each side of a window")
    aligned: bool = param(default=False, doc="shift by half a pixel, as a pixel's centre is")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return one small blob for each region."""
        x, rois = bottoms
        check_regions(x, rois)
        return Blob((rois.shape[0], x.channels, self.pooled_h, self.pooled_w), x.dtype)

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that a region has five numbers."""
        yield five_numbers(bottoms[1])
