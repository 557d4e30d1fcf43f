"""ROIPooling."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import product
from ..layer import Layer, Reject, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size


class ROIPooling(Layer):
    """Take the largest elements of a grid of windows over each region of interest.

    A region is [batch index, x1, y1, x2, y2] in pixels of the image. Its corners are scaled and
    rounded, half away from zero; the end belongs to it, and it is at least one element wide.
    Window i covers floor(i * size/n) up to ceil((i + 1) * size/n), n = pooled_h or pooled_w, cut
    to the bottom; 0 where nothing is left.

    Shape   N x C x H x W, R x 5  ->  R x C x pooled_h x pooled_w
    Rejects E404 if there are not 4 axes; E402 if a region has not 5 numbers
    Source  rbgirshick/caffe-fast-rcnn, src/caffe/layers/roi_pooling_layer.cpp
    """

    family = "pooling"
    bottoms = 2
    no_gradient = (1,)

    pooled_h: int = param(minimum=1, doc="windows along the height")
    pooled_w: int = param(minimum=1, doc="windows along the width")
    spatial_scale: float = param(
        default=1.0, exclusiveMinimum=0, doc="pixels of the bottom for one of the image, as 0.0625"
    )

    def infer(self, *bottoms: Blob) -> Blob:
        """Return one small blob for each region."""
        x, rois = bottoms
        check_regions(x, rois)
        return Blob((rois.shape[0], x.channels, self.pooled_h, self.pooled_w), x.dtype)

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that a region has five numbers."""
        yield five_numbers(bottoms[1])


def check_regions(x: Blob, rois: Blob) -> None:
    """Reject E404 bottoms of other ranks than 4 and 2; Caffe's regions may be R x 5 x 1 x 1."""
    need_rank(x, 4, 4)
    if rois.rank not in (2, 4):
        raise Reject(codes.WrongRank, expected=2, rank=rois.rank, shape=str(rois), bottom=1)


def five_numbers(rois: Blob) -> tuple[str, Size, Size, int]:
    """Return that a region must have five numbers."""
    return "the numbers of a region", product(rois.shape[1:]), 5, 1
