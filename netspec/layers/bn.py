"""BN."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Filler, Layer, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class BN(Layer):
    """Normalise each channel over the batch, then scale and shift it; of older Caffe forks.

    y[n, c, i] = weight[c] * (x[n, c, i] - mean[c]) / sqrt(variance[c] + eps) + bias[c]

    Shape   N x C x D1..Dr  ->  same
    State   running_mean[C], 0 at the start, and running_var[C], 1 at the start; a step makes
            running = momentum * running + (1 - momentum) * batch. Blobs: weight, bias, mean,
            variance.
    Phase   train normalises by the batch, test by the state; `frozen`, `bn_mode: INFERENCE` and
            `freeze` normalise by the state in train too
    Rejects E404 if there is no axis of channels
    Source  yjxiong/caffe, src/caffe/layers/bn_layer.cpp
            alexgkendall/caffe-segnet, src/caffe/layers/bn_layer.cpp

    Both forks' names of the fillers are taken.
    """

    family = "normalisation"

    slope_filler: Filler = param(default=None, doc="how the factor starts; 1")
    bias_filler: Filler = param(default=None, doc="how the offset starts; 0")
    scale_filler: Filler = param(default=None, doc="the same as slope_filler")
    shift_filler: Filler = param(default=None, doc="the same as bias_filler")
    momentum: float = param(
        default=0.9, minimum=0, maximum=1, doc="share of the average kept at each step"
    )
    eps: float = param(default=1e-5, minimum=0, doc="added to the variance")
    frozen: bool = param(default=False, doc="keep the state fixed")
    bn_mode: str = param(default="LEARN", choices=("LEARN", "INFERENCE"), doc="fix the state")
    engine: str = param(default="DEFAULT", choices=("DEFAULT", "CAFFE", "CUDNN"), doc="ignored")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        need_rank(bottoms[0], 2)
        return bottoms[0]

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the factor and the offset."""
        yield "weight", (bottoms[0].channels,)
        yield "bias", (bottoms[0].channels,)

    def state(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the averages."""
        yield "running_mean", (bottoms[0].channels,)
        yield "running_var", (bottoms[0].channels,)

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the factor and the offset start, where that is given."""
        named = {
            "scale_filler": "weight",
            "slope_filler": "weight",
            "shift_filler": "bias",
            "bias_filler": "bias",
        }
        return {weight: getattr(self, n) for n, weight in named.items() if n in self.given}
