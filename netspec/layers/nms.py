"""NMS."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, fixed, need_ranks, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class NMS(Layer):
    """Keep the best boxes, and of those that overlap only the best.

    Taken are, one after the other, the box of the highest score that overlaps no taken one by more
    than nms_threshold: the area of the intersection over that of the union. Of equal scores the
    first counts. A top has always top_k rows: missing ones are 0, and -1 in the second top.

    Shape   boxes N x K x 4 as x1 y1 x2 y2, scores N x K
            ->  N x top_k x 5 as x1 y1 x2 y2 score[, indices N x top_k, int64]
    Rejects E404 unless the boxes have 3 axes and the scores 2
            E402, E414 if there is not one score and 4 numbers for each box
    Source  weiliu89/caffe (SSD), src/caffe/util/bbox_util.cpp, ApplyNMSFast
    """

    family = "detection"
    bottoms = 2
    tops = (1, 2)
    in_place = False
    no_gradient = (0, 1)

    nms_threshold: float = param(default=0.3, minimum=0, doc="the most overlap, a fraction")
    top_k: int = param(minimum=1, doc="rows of the top: the most boxes that are kept")
    score_threshold: float = param(default=None, doc="drop boxes of this score or less")
    normalized: bool = param(default=True, doc="widths are x2 - x1; otherwise pixels, x2 - x1 + 1")

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the rows, and where they were."""
        need_ranks(bottoms, 3, 2)
        batch, dtype = bottoms[0].shape[0], bottoms[0].dtype
        tops = [Blob((batch, self.top_k, 5), dtype), Blob((batch, self.top_k), "int64")]
        return tops[: self.top_count]

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that every box has four numbers and one score."""
        boxes, scores = bottoms
        yield fixed(boxes, 2, 4, 0)
        yield "axis 0", scores.shape[0], boxes.shape[0], 1
        yield "axis 1", scores.shape[1], boxes.shape[1], 1
