"""PReLU."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Filler, Layer, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class PReLU(Layer):
    """Keep what is positive, and scale what is not by a learned slope.

    y[n, c, i] = x where x > 0, else weight[c] * x

    Shape   N x C, to N x C x H x W  ->  same
    Rejects E404 if there are not 2 to 4 axes
    Source  BVLC/caffe, src/caffe/layers/prelu_layer.cpp
    """

    family = "activation"
    message = "prelu_param"

    filler: Filler = param(default=None, doc="how the slopes start; 0.25")
    channel_shared: bool = param(default=False, doc="one slope for all channels")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        x = bottoms[0]
        need_rank(x, 2, 4)
        return x

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the slopes; a shared one has no axis."""
        yield "weight", () if self.channel_shared else (bottoms[0].channels,)

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the slopes start, where that is given."""
        return {"weight": self.filler} if "filler" in self.given else {}
