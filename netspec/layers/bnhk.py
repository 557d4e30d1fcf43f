"""BNHK."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Filler, Layer, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class BNHK(Layer):
    """Normalise each channel over the batch, then scale and shift it.

    y[n, c, i] = weight[c] * (x[n, c, i] - mean[c]) / sqrt(variance[c] + eps) + bias[c]

    Shape   N x C [x H [x W]]  ->  same
    State   running_mean[C], 0 at the start, and running_var[C], 0 at the start, 1 with `frozen`; a
            step makes running = momentum * running + (1 - momentum) * batch, the variance divided
            by all elements. Blobs: weight, bias, mean, variance, of 1 x C.
    Phase   train normalises by the batch, test by the state; with `frozen` and `freeze` train does
            so too, and weight and bias are not learned
    Rejects E404 if there are not 2 to 4 axes
    Source  liuyuisanai/CaffeMex_v2, src/caffe/layers/bnhk_layer.cpp
    """

    family = "normalisation"
    message = "bnhk_param"

    slope_filler: Filler = param(default=None, doc="how the factor starts; 1 (the fork: 0)")
    bias_filler: Filler = param(default=None, doc="how the offset starts; 0")
    momentum: float = param(
        default=0.9, minimum=0, maximum=1, doc="share of the average kept at each step"
    )
    eps: float = param(default=1e-5, minimum=0, doc="added to the variance")
    frozen: bool = param(default=False, doc="keep the state, the factor and the offset")
    engine: str = param(default="DEFAULT", choices=("DEFAULT", "CAFFE", "CUDNN"), doc="ignored")

    @property
    def fixed_weights(self) -> bool:
        """Return whether nothing is learned."""
        return self.frozen

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        need_rank(bottoms[0], 2, 4)
        return bottoms[0]

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the factor and the offset."""
        yield "weight", (1, bottoms[0].channels)
        yield "bias", (1, bottoms[0].channels)

    def state(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the averages."""
        yield "running_mean", (1, bottoms[0].channels)
        yield "running_var", (1, bottoms[0].channels)

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the factor and the offset start, where that is given."""
        named = {"slope_filler": "weight", "bias_filler": "bias"}
        return {weight: getattr(self, n) for n, weight in named.items() if n in self.given}
