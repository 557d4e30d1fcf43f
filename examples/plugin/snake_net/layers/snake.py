"""Snake."""

from __future__ import annotations

from netspec.layer import Layer, param


class Snake(Layer):
    """Let values through with a wave on them, so that a net can go on periodically.

    y = x + sin(a x)^2 / a, with a learned for each channel

    Shape   N x C x ..  ->  same
    Source  Ziyin et al., arXiv:2006.08195
    """

    family = "activation"

    start: float = param(default=1.0, exclusiveMinimum=0, doc="what a starts at")

    def weights(self, x):
        """Yield a."""
        yield "a", (x.channels,)
