"""Proposal."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Floats, Layer, fixed, need_ranks, param
from .anchor_generator import anchors, need_positive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class Proposal(Layer):
    """Turn the scores and shifts of a region proposal network into regions of interest.

    The anchors of AnchorGenerator are shifted by the second bottom (centre in units of their
    sides, sides by factors e^d), clipped to the image, and dropped where a side is less than
    min_size times the image's scale; of the pre_nms_topn best, non-maximum suppression keeps
    post_nms_topn. Each image gets post_nms_topn rows, best first; missing ones have a box of
    zeros. No gradient passes.

    Shape   scores N x 2A x H x W (background first), shifts N x 4A x H x W,
            im_info N x 3 (height, width, scale)
            ->  N post_nms_topn x 5 as n x1 y1 x2 y2[, scores N post_nms_topn x 1]
            A = ratios * scales
    Rejects E404 unless the bottoms have 4, 4 and 2 axes
            E414 if the channels are not 2A and 4A, or im_info does not have 3 columns
            E402 if N, H or W differ
            E413 if a ratio or scale is not between 1e-6 and 1e6
    Source  rbgirshick/py-faster-rcnn, lib/rpn/proposal_layer.py
    """

    family = "detection"
    bottoms = 3
    tops = (1, 2)
    in_place = False
    no_gradient = (0, 1, 2)

    feat_stride: int = param(default=16, minimum=1, doc="pixels of the image for each of the map")
    base_size: int = param(default=16, minimum=1, doc="side of the first square, pixels")
    min_size: int = param(default=16, minimum=0, doc="least side, pixels of an unscaled image")
    ratio: Floats = param(default=(0.5, 1, 2), doc="heights over widths")
    scale: Floats = param(default=(8, 16, 32), doc="factors of the sides")
    pre_nms_topn: int = param(default=6000, minimum=1, doc="boxes that enter the suppression")
    post_nms_topn: int = param(default=300, minimum=1, doc="rows of each image")
    nms_thresh: float = param(default=0.7, minimum=0, doc="the most overlap, a fraction")

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the regions, and their scores."""
        need_ranks(bottoms, 4, 4, 2)
        need_positive(self, "ratio", "scale")
        rows, dtype = bottoms[0].shape[0] * self.post_nms_topn, bottoms[0].dtype
        return [Blob((rows, 5), dtype), Blob((rows, 1), dtype)][: self.top_count]

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that each pixel has two scores and four shifts for each anchor."""
        scores, shifts, info = bottoms
        count = len(self.anchors())
        yield fixed(scores, 1, 2 * count, 0)
        yield fixed(shifts, 1, 4 * count, 1)
        yield fixed(info, 1, 3, 2)
        for axis in (0, 2, 3):
            yield f"axis {axis}", shifts.shape[axis], scores.shape[axis], 1
        yield "axis 0", info.shape[0], scores.shape[0], 2

    def anchors(self) -> list[tuple[float, ...]]:
        """Return the anchors of the pixel at 0, 0."""
        return anchors(self.base_size, self.ratio, self.scale)
