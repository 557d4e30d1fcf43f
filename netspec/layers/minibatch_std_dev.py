"""MinibatchStdDev."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import minimum
from ..layer import Layer, Reject, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size


class MinibatchStdDev(Layer):
    """Append a channel that says how much the items of a group differ.

    s = mean over c, i of sqrt(variance over the group of x[., c, i] + eps), for each group

    Shape   N x C x D1..Dr  ->  N x (C + 1) x D1..Dr
    Rejects E404 if there is no axis of channels
            E413 if group_size does not divide a larger batch
    Source  arXiv 1710.10196, section 3
            tkarras/progressive_growing_of_gans, networks.py, minibatch_stddev_layer

    Item n is in the group n % (N / group_size); a smaller batch is one group.
    """

    family = "normalisation"

    group_size: int = param(default=4, minimum=1, doc="items compared")
    eps: float = param(default=1e-8, minimum=0, doc="added to the variance")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return one more channel."""
        x = bottoms[0]
        need_rank(x, 2)
        batch = x.shape[0]
        if isinstance(batch, int) and batch % min(batch, self.group_size):
            reason = f"cannot cut a batch of {batch} into equal groups"
            raise Reject(codes.BadParam, at="group_size", value=self.group_size, reason=reason)
        return x.like(channels=x.channels + 1)

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that the groups are equal."""
        batch = bottoms[0].shape[0]
        size = minimum(batch, self.group_size)
        yield "axis 0", batch, batch // size * size, 0
