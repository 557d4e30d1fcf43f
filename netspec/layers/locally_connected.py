"""LocallyConnected."""

from __future__ import annotations

from ..blob import Blob
from ..dim import product
from ..layer import canonical_axis, param
from .convolution import Convolution, refuse_groups

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class LocallyConnected(Convolution):
    """Apply another bank of learned filters at each place: a convolution that shares no weights.

    y[n, o, i] = bias[o, i] + sum over c, k of w[i, o, (c, k)] * x[n, c, stride*i + ..]

    Its weights fit one input size: bind H and W to build it.

    Shape   N x C x D1..Dr  ->  N x num_output x E1..Er, with E of Convolution
    Rejects E413 if group is not 1
    Source  arXiv 1402.5697 and keras.layers.LocallyConnected2D
    """

    message = "locally_connected_param"

    group: int = param(default=1, minimum=1, doc="1: every output reads all channels")

    def groups(self, channels: Size) -> Size:
        """Return 1: every output reads all channels."""
        refuse_groups(self)
        return 1

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the filters of each place and the offsets."""
        x = bottoms[0]
        axis = canonical_axis(self, "axis", x)
        window = self.window(x)
        places = window.slide(x.shape[axis + 1 :])
        taps = x.shape[axis] * product(window.kernel)
        yield "weight", (product(places), self.num_output, taps)
        if self.bias_term:
            yield "bias", (self.num_output, *places)
