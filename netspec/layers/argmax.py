"""ArgMax."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import minimum, product
from ..layer import Layer, Reject, canonical_axis, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class ArgMax(Layer):
    """Find the `top_k` largest elements of each item, or along an axis: their indices or values.

    Of equal elements the one of the larger index comes first. Indices are floats, as in Caffe.
    Without `axis` an item is flattened first, and with `out_max_val` the indices and the values
    are two channels of the top; with `axis`, `out_max_val` gives the values alone.

    Shape   with `axis`: S  ->  S with top_k along the axis
            without: N x ..  ->  N x (2 if out_max_val else 1) x top_k, and ones up to S's axes
    Rejects E413 if `top_k` is larger than what it chooses from
            E334 if a gradient is asked for
            E404 if the bottom is a scalar
            E405 if there is no axis `axis`
    Source  BVLC/caffe, src/caffe/layers/argmax_layer.cpp
    """

    family = "structure"
    message = "argmax_param"
    no_gradient = (0,)

    out_max_val: bool = param(default=False, doc="give the values, not the indices alone")
    top_k: int = param(default=1, minimum=1, doc="how many of the largest")
    axis: int = param(default=None, doc="the axis to search along; unset: a whole item")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the shape of the indices or values."""
        x = bottoms[0]
        if self.axis is not None:
            return x.resized(canonical_axis(self, "axis", x), self.top_k)
        need_rank(x, 1, bottom=0)
        ones = (1,) * max(x.rank - 3, 0)
        return Blob((x.shape[0], 2 if self.out_max_val else 1, self.top_k, *ones), x.dtype)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that there are enough elements to choose from."""
        x = bottoms[0]
        count = product(x.shape[1:])
        if self.axis is not None:
            count = x.shape[canonical_axis(self, "axis", x)]
        refusal = Reject(
            codes.BadParam, at="top_k", value=self.top_k, reason=f"is more than {count} elements"
        )
        yield "the elements", minimum(count, self.top_k), self.top_k, 0, refusal
