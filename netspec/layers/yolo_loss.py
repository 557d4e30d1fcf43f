"""YoloLoss."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, param
from .yolo_detection import elements, need_batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class YoloLoss(Layer):
    """Compare the numbers of YOLO's last layer with the true objects.

    y = sum of scale * (t - p)^2 over all classes, confidences and coordinates that count, over N

    In a cell with an object count its classes, with class_scale, and of one box, that of the best
    overlap with the object (where none overlaps: the nearest), the coordinates, with coord_scale,
    and the confidence, with object_scale; it should be the overlap, or 1 without rescore. The
    confidences of all other boxes should be 0, with noobject_scale. No gradient passes through
    the overlap.

    Shape   as YoloDetection's bottom, N x side side (1 + classes + 4): for each cell whether there
            is an object, its classes, and x, y in the cell, w, h of the image  ->  a scalar
    Rejects E414 if an image of a bottom has another number of elements
            E402 if N differs
    Source  arXiv:1506.02640, equation 3;  pjreddie/darknet, src/detection_layer.c
    """

    family = "loss"
    bottoms = 2
    in_place = False
    loss = True
    no_gradient = (1,)

    side: int = param(default=7, minimum=1, doc="cells in each direction")
    classes: int = param(default=20, minimum=1, doc="classes")
    num: int = param(default=2, minimum=1, doc="boxes of each cell")
    sqrt: bool = param(default=True, doc="the bottom holds the square roots of w and h")
    rescore: bool = param(default=True, doc="the confidence should be the overlap, not 1")
    object_scale: float = param(default=1.0, minimum=0, doc="weight of the confidence of objects")
    noobject_scale: float = param(default=0.5, minimum=0, doc="weight of the other confidences")
    class_scale: float = param(default=1.0, minimum=0, doc="weight of the classes")
    coord_scale: float = param(default=5.0, minimum=0, doc="weight of the coordinates")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a scalar."""
        need_batch(*bottoms)
        return Blob((), bottoms[0].dtype)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that each cell has its classes and boxes, and its truth."""
        cells = self.side * self.side
        yield elements(bottoms[0], cells * (self.classes + 5 * self.num), 0)
        yield elements(bottoms[1], cells * (5 + self.classes), 1)
        yield "axis 0", bottoms[1].shape[0], bottoms[0].shape[0], 1
