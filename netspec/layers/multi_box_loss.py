"""MultiBoxLoss."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Map, Reject, fixed, need_rank, param
from .detection_output import CODE_TYPES, NMS_FIELDS, need_priors, one_each
from .softmax_with_loss import NORMALIZATIONS, norm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class MultiBoxLoss(Layer):
    """Compare the shifts and scores of SSD with the true boxes.

    y = (loc_weight * loss of the shifts of matched priors + loss of scores) / norm

    Each true box is matched with the prior that overlaps it most, best pairs first; with
    PER_PREDICTION every other prior is matched with the true box it overlaps most, if by
    overlap_threshold or more. With mining MAX_NEGATIVE the scores of matched priors count, and of
    others that overlap every true box by less than neg_overlap the neg_pos_ratio times as many that
    cost most; with NONE all scores count. norm is the matches (VALID), all priors (FULL), N
    (BATCH_SIZE) or 1 (NONE), and never less than 1.

    Shape   shifts N x 4P, scores N x PL, priors 1 x 2 x 4P, true boxes 1 x 1 x G x 8 as
            n label instance x1 y1 x2 y2 difficult, rows with n = -1 left out  ->  a scalar
            L = num_classes
    Rejects E404 if the priors do not have 3 axes, the true boxes 4, or another bottom less than 2
            E414 if the priors are not 1 x 2, or the true boxes not 1 x 1 x G x 8
            E414 if there are not 4 shifts and L scores for each prior
            E402 if N differs
            E413 if background_label_id is no class
    Source  weiliu89/caffe (SSD), src/caffe/layers/multibox_loss_layer.cpp
    """

    family = "loss"
    message = "multibox_loss_param"
    bottoms = 4
    in_place = False
    loss = True
    no_gradient = (2, 3)

    loc_loss_type: str = param(
        default="SMOOTH_L1", choices=("L2", "SMOOTH_L1"), doc="loss of the shifts"
    )
    conf_loss_type: str = param(
        default="SOFTMAX", choices=("SOFTMAX", "LOGISTIC"), doc="loss of the scores"
    )
    loc_weight: float = param(default=1.0, minimum=0, doc="factor of the loss of the shifts")
    num_classes: int = param(minimum=1, doc="classes, the background included")
    share_location: bool = param(default=True, doc="the classes share their boxes")
    match_type: str = param(
        default="PER_PREDICTION", choices=("BIPARTITE", "PER_PREDICTION"), doc="who is matched"
    )
    overlap_threshold: float = param(default=0.5, minimum=0, doc="least overlap of a match")
    use_prior_for_matching: bool = param(default=True, doc="match the priors, not shifted ones")
    background_label_id: int = param(default=0, minimum=0, doc="the class of nothing")
    use_difficult_gt: bool = param(default=True, doc="true boxes marked difficult count")
    do_neg_mining: bool = param(default=None, doc="old form: false is mining_type NONE")
    neg_pos_ratio: float = param(default=3.0, minimum=0, doc="negatives for each match")
    neg_overlap: float = param(default=0.5, minimum=0, doc="negatives overlap by less than this")
    code_type: str = param(default="CORNER", choices=CODE_TYPES, doc="what the shifts move")
    encode_variance_in_target: bool = param(
        default=False, doc="the shifts are not in units of the variances"
    )
    map_object_to_agnostic: bool = param(default=False, doc="all true boxes are of class 1")
    ignore_cross_boundary_bbox: bool = param(default=False, doc="leave out priors over the border")
    bp_inside: bool = param(default=False, doc="no gradient where boxes are over the border")
    mining_type: str = param(
        default="MAX_NEGATIVE", choices=("NONE", "MAX_NEGATIVE", "HARD_EXAMPLE"),
        doc="which scores count",
    )  # fmt: skip
    nms_param: Map = param(
        default=None, properties=NMS_FIELDS, additionalProperties=False, doc="for HARD_EXAMPLE"
    )
    sample_size: int = param(default=64, minimum=1, doc="for HARD_EXAMPLE")
    use_prior_for_nms: bool = param(default=False, doc="for HARD_EXAMPLE")
    normalization: str = param(
        default="VALID", message="loss_param", choices=NORMALIZATIONS, doc="what divides the sum"
    )
    normalize: bool = param(
        default=None, message="loss_param", doc="old form: true is VALID, false is BATCH_SIZE"
    )

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a scalar."""
        need_priors(*bottoms)
        true = bottoms[3]
        need_rank(true, 4, 4, 3)
        if self.background_label_id >= self.num_classes:
            raise Reject(
                codes.BadParam, at="background_label_id", value=self.background_label_id,
                reason=f"is not one of the {self.num_classes} classes",
            )  # fmt: skip
        return Blob((), bottoms[0].dtype)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that each prior has its shifts and scores, each true box eight numbers."""
        yield from one_each(self.num_classes, self.share_location, *bottoms)
        for axis, wanted in (0, 1), (1, 1), (3, 8):
            yield fixed(bottoms[3], axis, wanted, 3)

    @property
    def norm(self) -> str:
        """Return what divides the sum, the older field taken into account."""
        return norm(self, "VALID")

    @property
    def mining(self) -> str:
        """Return which scores count, the older field taken into account."""
        return "NONE" if self.do_neg_mining is False else self.mining_type
