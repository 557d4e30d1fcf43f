"""ContrastiveLoss."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, param
from .euclidean_loss import batched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class ContrastiveLoss(Layer):
    """Draw pairs of one kind together, and push others at least `margin` apart.

    y = (sum over n of d2 where label[n], else max(0, margin - d)^2) / (2 * N), d2 the squared
    distance of a[n] and b[n], d its root; `legacy_version` has max(0, margin - d2) in its place.
    The gradient divides by d + 0.0001, as Caffe's does.

    Shape   N x C [x 1 x 1], N x C [x 1 x 1], N [x 1 ..]  ->  a scalar
    Rejects E402 if the bottoms differ in N or C
            E404 if the bottoms have spatial extents, or more than one label an item
    Source  BVLC/caffe, src/caffe/layers/contrastive_loss_layer.cpp; Hadsell et al., CVPR 2006
    """

    family = "loss"
    bottoms = 3
    reads = ("float", "float", "any")
    loss = True
    no_gradient = (2,)

    margin: float = param(default=1.0, doc="least distance of unlike pairs")
    legacy_version: bool = param(default=False, doc="margin against the squared distance")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a scalar."""
        top = batched(*bottoms)
        for index, (blob, axes) in enumerate(zip(bottoms, (2, 2, 1), strict=True)):
            if blob.rank < axes or any(size != 1 for size in blob.shape[axes:]):
                raise Reject(
                    codes.WrongRank, expected=axes, rank=blob.rank, shape=str(blob), bottom=index
                )
        return top

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield pairs of one length, and one label for each."""
        a, b, labels = bottoms
        yield "axis 0", b.shape[0], a.shape[0], 1
        yield "axis 1", b.shape[1], a.shape[1], 1
        yield "axis 0", labels.shape[0], a.shape[0], 2
