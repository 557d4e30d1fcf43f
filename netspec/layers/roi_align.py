"""ROIAlign."""

from __future__ import annotations

from ..layer import param
from .roi_pooling import ROIPooling


class ROIAlign(ROIPooling):
    """Average bilinear samples in a grid of windows over each region of interest.

    A region is [batch index, x1, y1, x2, y2] in pixels of the image; nothing is rounded. A
    window takes sampling_ratio x sampling_ratio samples, evenly spread, or as many as it has
    elements for 0. A sample more than one element outside counts as 0.

    Shape   N x C x H x W, R x 5  ->  R x C x pooled_h x pooled_w
    Rejects E404 if there are not 4 axes; E402 if a region has not 5 numbers
    Source  arXiv 1703.06870, section 3; torchvision.ops.roi_align
    """

    sampling_ratio: int = param(default=0, minimum=0, doc="samples along each side of a window")
    aligned: bool = param(default=False, doc="shift by half a pixel, as a pixel's centre is")
