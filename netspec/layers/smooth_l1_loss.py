"""SmoothL1Loss."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, param
from .euclidean_loss import batched, same_items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class SmoothL1Loss(Layer):
    """Compare two bottoms by a distance that is quadratic near 0 and linear further out.

    y = (sum over all of out * f(in * (a - b))) / N
    f(d) = 0.5 * (sigma * d)^2 where |d| < 1 / sigma^2, else |d| - 0.5 / sigma^2

    in and out are the third and the fourth bottom, 1 where there are none.

    Shape   S, S [, S, S]  ->  a scalar
    Rejects E402 if the bottoms do not hold as many elements
            E323 if there are three bottoms
    Source  rbgirshick/caffe-fast-rcnn, src/caffe/layers/smooth_L1_loss_layer.cpp
    """

    family = "loss"
    bottoms = (2, 4)
    reads = ("float", "float", "any")
    loss = True
    no_gradient = (2, 3)

    sigma: float = param(default=1.0, exclusiveMinimum=0, doc="how early the distance is linear")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a scalar."""
        if len(bottoms) == 3:
            raise Reject(
                codes.WrongBottomCount, type="SmoothL1Loss", expected="2 or 4 bottoms", count=3,
                bottom=2,
            )  # fmt: skip
        return batched(*bottoms)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that all hold as many elements."""
        for index, other in enumerate(bottoms[1:], 1):
            yield from same_items(bottoms[0], other, index)
