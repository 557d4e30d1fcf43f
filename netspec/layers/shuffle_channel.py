"""ShuffleChannel."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, need_rank, param


class ShuffleChannel(Layer):
    """Deal the channels of each group out to all groups, as cards.

    y[n, j*g + i] = x[n, i*C/g + j], g = group

    Shape   same
    Rejects E401 if `group` does not divide C
            E404 if there is no axis of channels
    Source  farmingyard/ShuffleNet, shuffle_channel_layer.cpp; arXiv 1707.01083
    """

    family = "shape"
    reads = "any"

    group: int = param(default=1, minimum=1, doc="groups of channels")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        x = bottoms[0]
        need_rank(x, 2)
        if x.channels % self.group != 0:
            raise Reject(
                codes.NotDivisible, at="group", value=self.group, side="input", channels=x.channels
            )
        return x
