"""DetectionOutput."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, Map, fixed, need_rank, param
from .yolo_detection import elements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size
    from ..layer import Agreement

CODE_TYPES = ("CORNER", "CENTER_SIZE", "CORNER_SIZE")
NMS_FIELDS = {
    "nms_threshold": {"type": "number", "minimum": 0, "default": 0.3},
    "top_k": {"type": "integer", "minimum": -1, "default": -1},
    "eta": {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 1},
}


class DetectionOutput(Layer):
    """Turn the shifts and scores of SSD into detections.

    The prior boxes are shifted as code_type says. For each class but the background, of the
    nms_param.top_k best boxes over confidence_threshold, non-maximum suppression keeps some; of all
    classes together the keep_top_k best are kept. Each image gets keep_top_k rows: by label, best
    first; then missing ones, with all but the image -1. No gradient passes.

    Shape   shifts N x 4P (4PL unless share_location), scores N x PL, priors 1 x 2 x 4P
            ->  1 x 1 x N keep_top_k x 7 as n label score x1 y1 x2 y2;  L = num_classes
    Rejects E404 if the priors do not have 3 axes, or another bottom has less than 2
            E414 if the priors are not 1 x 2
            E414 if there are not 4 shifts and L scores for each prior
            E402 if N differs
    Source  weiliu89/caffe (SSD), src/caffe/layers/detection_output_layer.cpp
    """

    family = "detection"
    bottoms = 3
    in_place = False
    no_gradient = (0, 1, 2)

    num_classes: int = param(minimum=1, doc="classes, the background included")
    share_location: bool = param(default=True, doc="the classes share their boxes")
    background_label_id: int = param(default=0, doc="the class of nothing; -1 if there is none")
    nms_param: Map = param(
        default=None, properties=NMS_FIELDS, additionalProperties=False,
        doc="nms_threshold, the most overlap, 0.3; top_k, boxes of a class that enter, -1 for all",
    )  # fmt: skip
    code_type: str = param(default="CORNER", choices=CODE_TYPES, doc="what the shifts move")
    variance_encoded_in_target: bool = param(
        default=False, doc="the shifts are not in units of the variances"
    )
    keep_top_k: int = param(minimum=1, doc="rows of each image")
    confidence_threshold: float = param(default=None, doc="drop boxes of this score or less")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the rows of all images."""
        need_priors(*bottoms)
        rows = bottoms[0].shape[0] * self.keep_top_k
        return Blob((1, 1, rows, 7), bottoms[0].dtype)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that each prior has its shifts and scores."""
        yield from one_each(self.num_classes, self.share_location, *bottoms)


def need_priors(*bottoms: Blob) -> None:
    """Reject shifts, scores and priors with the wrong numbers of axes."""
    for index, blob in enumerate(bottoms[:2]):
        need_rank(blob, 2, bottom=index)
    need_rank(bottoms[2], 3, 3, 2)


def one_each(classes: int, share: bool, *bottoms: Blob) -> Iterator[Agreement]:
    """Yield that each prior has four shifts, for each class or for all, and a score a class."""
    shifts, scores, priors = bottoms[:3]
    count: Size = priors.shape[2] // 4
    yield fixed(priors, 0, 1, 2)
    yield fixed(priors, 1, 2, 2)
    yield fixed(priors, 2, 4 * count, 2)
    yield "axis 0", scores.shape[0], shifts.shape[0], 1
    each = 4 if share else 4 * classes
    wanted = (count * each, count * classes)
    for index, blob in enumerate((shifts, scores)):
        yield elements(blob, wanted[index], index)
