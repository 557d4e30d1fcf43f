"""SmoothL1LossOHEM."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, need_rank, param
from .softmax_with_loss import norm
from .softmax_with_loss_ohem import OHEM_NORMALIZATIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size
    from ..layer import Agreement


class SmoothL1LossOHEM(Layer):
    """Compare two bottoms by a distance that is linear further out; tell what each item costs.

    y = (sum over all of f(w * (a - b))) / norm;  f(d) = 0.5 * d^2 where |d| < 1, else |d| - 0.5

    w is the third bottom, 1 where there is none. As in the fork the gradient leaves its outer
    factor out: it is f'(w * (a - b)) / norm, which for w of 0 and 1 is the same. The second top is
    the sum of f over the channels; it has no gradient. norm is N*H*W for FULL and VALID, N for
    BATCH_SIZE, `pre_fixed_normalizer` for PRE_FIXED, 1 for NONE, and never less than 1.

    Shape   N x C x H x W, the same[, the same]  ->  a scalar[, N x 1 x H x W]
            axes that are not there count as 1
    Rejects E402 if an axis differs
            E404 if a bottom has not 1 to 4 axes
    Source  daijifeng001/caffe-rfcn, src/caffe/layers/smooth_L1_loss_ohem_layer.{cpp,cu}; arXiv
            1605.06409
    """

    family = "loss"
    bottoms = (2, 3)
    tops = (1, 2)
    reads = ("float", "float", "any")
    in_place = False
    loss = True
    no_gradient = (2,)
    one_gradient = True

    normalization: str = param(
        default="VALID", message="loss_param", choices=OHEM_NORMALIZATIONS,
        doc="what divides the sum",
    )  # fmt: skip
    normalize: bool = param(
        default=None, message="loss_param", doc="old form: true is VALID, false is BATCH_SIZE"
    )
    pre_fixed_normalizer: float = param(
        default=1.0, message="loss_param", doc="what PRE_FIXED divides by"
    )

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return a scalar, and what each item costs."""
        shapes = [of_four(blob, index) for index, blob in enumerate(bottoms)]
        n, _, h, w = shapes[0]
        dtype = bottoms[0].dtype
        return [Blob((), dtype), Blob((n, 1, h, w), dtype)][: self.top_count]

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that all have one shape."""
        wanted = of_four(bottoms[0], 0)
        for index, blob in enumerate(bottoms[1:], 1):
            for axis, size in enumerate(of_four(blob, index)):
                yield f"axis {axis}", size, wanted[axis], index

    @property
    def norm(self) -> str:
        """Return what divides the sum, the older field taken into account."""
        return norm(self, "VALID")


def of_four(blob: Blob, index: int) -> tuple[Size, ...]:
    """Return a shape as older layers of Caffe see it: of four axes. Rejects E404."""
    need_rank(blob, 1, 4, index)
    return (*blob.shape, *(1,) * (4 - blob.rank))
