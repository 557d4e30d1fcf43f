"""ConditionalBatchNorm."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class ConditionalBatchNorm(Layer):
    """Normalise each channel over the batch, with a factor and an offset for each class.

    y[n, c, i] = weight[k, c] * (x[n, c, i] - mean[c]) / sqrt(variance[c] + eps) + bias[k, c],
    k the class of item n

    Shape   N x C x D1..Dr, N  ->  N x C x D1..Dr
    State   running_mean[C], 0 at the start, and running_var[C], 1 at the start
    Phase   train normalises by the batch, test by the state
    Rejects E402 if there is not one class for each item
            E404 if there is no axis of channels, or the classes have several axes
    Source  arXiv 1610.07629; arXiv 1707.00683
    """

    family = "normalisation"
    bottoms = 2
    reads = ("float", "any")
    no_gradient = (1,)

    num_classes: int = param(minimum=1, doc="classes, from 0")
    moving_average_fraction: float = param(
        default=0.9, minimum=0, maximum=1, doc="share of the average kept at each step"
    )
    eps: float = param(default=1e-5, minimum=0, doc="added to the variance")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the first bottom's blob."""
        x, classes = bottoms
        need_rank(classes, 1, 1, 1)
        need_rank(x, 2)
        return x

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that there is one class for each item."""
        yield "axis 0", bottoms[1].shape[0], bottoms[0].shape[0], 1

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the factors and the offsets of all classes."""
        yield "weight", (self.num_classes, bottoms[0].channels)
        yield "bias", (self.num_classes, bottoms[0].channels)

    def state(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the averages."""
        yield "running_mean", (bottoms[0].channels,)
        yield "running_var", (bottoms[0].channels,)
