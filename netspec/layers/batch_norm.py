"""BatchNorm."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Filler, Layer, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..dim import Size


class BatchNorm(Layer):
    """Give each channel zero mean and unit variance; Caffe's has no factor and no offset.

    y[n, c, i] = (x[n, c, i] - mean[c]) / sqrt(variance[c] + eps)
    with scale_bias: y[n, c, i] = weight[c] * (the same) + bias[c]

    Shape   N x C x D1..Dr  ->  same
    State   running_mean[C], running_var[C], factor[1], all 0 at the start. With f = factor and
            a = moving_average_fraction a step in train makes f' = a*f + 1 and
            running = (a*f*running + batch) / f', so the average holds no trace of its start;
            the variance in it is m/(m - 1) times the batch's. Caffe's blobs are these times
            factor, and factor: mean, variance, factor.
            With scale_bias there is no factor and the average is PyTorch's: it starts at mean 0
            and variance 1, and momentum = 1 - moving_average_fraction. Blobs: the same three,
            then weight and bias.
    Phase   train normalises by the batch, test by the state; use_global_stats fixes the choice,
            and `false` also updates the state in test, as in Caffe. `freeze` fixes the state.
    Rejects E404 if there is no axis of channels
            E413 if `param` gives the state a learning rate; three in a row are taken as 0
    Source  BVLC/caffe, src/caffe/layers/batch_norm_layer.cpp
            NVIDIA/caffe, src/caffe/layers/batch_norm_layer.cpp (scale_bias)
    """

    family = "normalisation"

    use_global_stats: bool = param(default=None, doc="normalise by the state; in test by default")
    moving_average_fraction: float = param(
        default=0.999, minimum=0, maximum=1, doc="share of the average kept at each step"
    )
    eps: float = param(default=1e-5, minimum=0, doc="added to the variance")
    scale_bias: bool = param(default=False, doc="learn a factor and an offset per channel")
    scale_filler: Filler = param(default=None, doc="how the factor starts; 1")
    bias_filler: Filler = param(default=None, doc="how the offset starts; 0")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        need_rank(bottoms[0], 2)
        return bottoms[0]

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the factor and the offset, if they are learned."""
        if self.scale_bias:
            yield "weight", (bottoms[0].channels,)
            yield "bias", (bottoms[0].channels,)

    def state(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the averages, and without scale_bias the sum of their weights."""
        yield "running_mean", (bottoms[0].channels,)
        yield "running_var", (bottoms[0].channels,)
        if not self.scale_bias:
            yield "factor", (1,)

    def blob_order(self, weights: list[Any], state: list[Any]) -> list[Any]:
        """Return mean, variance, factor, then weight and bias."""
        # PyTorch's form keeps no factor: its place holds the variance again, which the same
        # `param` entry fixes
        return [*state, state[-1], *weights] if self.scale_bias else state

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the factor and the offset start, where that is given."""
        named = {"weight": "scale_filler", "bias": "bias_filler"}
        return {
            weight: getattr(self, name)
            for weight, name in named.items()
            if self.scale_bias and name in self.given
        }
