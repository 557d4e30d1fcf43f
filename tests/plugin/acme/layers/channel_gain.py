"""ChannelGain."""

from __future__ import annotations

from netspec import codes
from netspec.blob import Blob
from netspec.layer import Layer, Reject, param


class ChannelGain(Layer):
    """Multiply every channel by a learned gain, some of them once more.

    Shape   S  ->  S
    Rejects E413 if there are fewer channels than `first`
    """

    family = "normalization"

    first: int = param(default=0, minimum=0, doc="channels whose gain counts twice")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's shape."""
        x = bottoms[0]
        if isinstance(x.channels, int) and self.first > x.channels:
            raise Reject(
                codes.BadParam, at="first", value=self.first, reason=f"is more than {x.channels}"
            )
        return x

    def weights(self, *bottoms: Blob):
        """Yield the gains."""
        yield "weight", (bottoms[0].channels,)
