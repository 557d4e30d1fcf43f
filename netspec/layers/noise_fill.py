"""NoiseFill."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, need_rank, param


class NoiseFill(Layer):
    """Append channels of noise, drawn anew at each pass.

    Shape   N x C x D1..Dr  ->  N x (C + num_channels) x D1..Dr
    Phase   the same in train and test
    Rejects E404 if there is no axis of channels
    Source  arXiv 1603.03417; DmitryUlyanov/texture_nets
    """

    family = "regularisation"

    num_channels: int = param(default=1, minimum=1, doc="channels of noise")
    distribution: str = param(
        default="uniform", choices=("uniform", "gaussian"), doc="U(0, 1) or N(0, 1)"
    )

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the channels and the noise."""
        x = bottoms[0]
        need_rank(x, 2)
        return x.like(channels=x.channels + self.num_channels)
