"""YoloDetection."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import product
from ..layer import Layer, Reject, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size
    from ..layer import Agreement


class YoloDetection(Layer):
    """Turn the numbers of YOLO's last layer into boxes with scores.

    Each image has side * side cells of num boxes. The bottom holds first the classes of each cell,
    then the confidence of each box, then x, y, w, h of each box: x and y within the cell, w and h
    of the image, or with sqrt their square roots. A score is the confidence times the class.

    Shape   N x side side (classes + 5 num)  ->  N x side side num x (5 + classes)
            as centre x, y, w, h in fractions of the image, confidence, scores; in the order y, x,
            box
    Rejects E414 if an image of the bottom has another number of elements
            E404 if there is no axis of elements
    Source  arXiv:1506.02640;  pjreddie/darknet, src/detection_layer.c, get_detection_detections
    """

    family = "detection"
    bottoms = 1
    in_place = False

    side: int = param(default=7, minimum=1, doc="cells in each direction")
    classes: int = param(default=20, minimum=1, doc="classes")
    num: int = param(default=2, minimum=1, doc="boxes of each cell")
    sqrt: bool = param(default=True, doc="the bottom holds the square roots of w and h")
    softmax: bool = param(default=False, doc="take the softmax of the classes of each cell")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a row for each box."""
        need_batch(*bottoms)
        rows = self.side * self.side * self.num
        return Blob((bottoms[0].shape[0], rows, 5 + self.classes), bottoms[0].dtype)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that each cell has its classes, and each box five numbers."""
        yield elements(bottoms[0], self.side * self.side * (self.classes + 5 * self.num), 0)


def need_batch(*bottoms: Blob) -> None:
    """Reject bottoms without elements of each image."""
    for index, blob in enumerate(bottoms):
        need_rank(blob, 2, bottom=index)


def elements(blob: Blob, wanted: Size, bottom: int) -> Agreement:
    """Return that each image of a bottom must have so many elements. Rejects E414."""
    size = product(blob.shape[1:])
    axis = "the elements of each image"
    mismatch = Reject(codes.WrongSize, axis=axis, size=size, wanted=wanted, bottom=bottom)
    return axis, size, wanted, bottom, mismatch
