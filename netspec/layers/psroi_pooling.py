"""PSROIPooling."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, param
from .roi_pooling import check_regions, five_numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size


class PSROIPooling(Layer):
    """Average each window of a region of interest over channels of its own.

    Window (i, j) of output c reads channel (c*g + i)*g + j, g = group_size. A region
    [batch index, x1, y1, x2, y2] covers round(x1) to round(x2 + 1), scaled, and is at least 0.1
    wide; a window covers floor to ceil of its part, cut to the bottom; 0 where nothing is left.

    Shape   N x output_dim*g*g x H x W, R x 5  ->  R x output_dim x g x g
    Rejects E404 if there are not 4 axes
            E402 if C is not output_dim*g*g, or a region has not 5 numbers
    Source  daijifeng001/caffe-rfcn, src/caffe/layers/psroi_pooling_layer.cu; arXiv 1605.06409
    """

    family = "pooling"
    bottoms = 2
    no_gradient = (1,)

    spatial_scale: float = param(
        exclusiveMinimum=0, doc="pixels of the bottom for one of the image, as 0.0625"
    )
    output_dim: int = param(minimum=1, doc="channels of the top")
    group_size: int = param(minimum=1, doc="windows along each side")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return one small blob for each region."""
        x, rois = bottoms
        check_regions(x, rois)
        return Blob((rois.shape[0], self.output_dim, self.group_size, self.group_size), x.dtype)

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that every window of every output has a channel; a region has five numbers."""
        x, rois = bottoms
        wanted = self.output_dim * self.group_size**2
        yield "axis 1 and output_dim * group_size^2", x.channels, wanted, 0
        yield five_numbers(rois)
