"""FocalLoss."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, param
from .euclidean_loss import batched, same_items
from .softmax_with_loss import NORMALIZATIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class FocalLoss(Layer):
    """Compare the sigmoid of scores with targets, and count what is easy for less.

    y = -(sum over all of w * (1 - q)^gamma * log q) / norm, p = sigmoid(x)
    q = p and w = alpha where t = 1;  q = 1 - p and w = 1 - alpha where t = 0

    norm is, for `normalization`, BATCH_SIZE (the default): N; VALID: the targets that are 1;
    FULL: all targets; NONE: 1; and never less than 1. The paper divides by the anchors assigned
    to an object, which is VALID for targets of one class an anchor.

    Shape   N x .., N x ..  ->  a scalar
    Rejects E402 if N, or the number of elements of an item, differs
    Source  Lin et al., arXiv:1708.02002, equation 5
    """

    family = "loss"
    bottoms = 2
    reads = ("float", "any")
    loss = True
    no_gradient = (1,)

    alpha: float = param(default=0.25, minimum=0, maximum=1, doc="weight of targets that are 1")
    gamma: float = param(default=2.0, minimum=0, doc="how much less the easy ones count")
    normalization: str = param(
        default="BATCH_SIZE", message="loss_param", choices=NORMALIZATIONS,
        doc="what divides the sum",
    )  # fmt: skip

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a scalar."""
        return batched(*bottoms)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield one target for each score."""
        yield from same_items(bottoms[0], bottoms[1], 1)
