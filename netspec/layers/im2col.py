"""Im2col."""

from __future__ import annotations

from ..blob import Blob
from ..dim import product
from ..layer import canonical_axis, need_rank, param
from .convolution import Convolution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class Im2col(Convolution):
    """Lay out what each window of a convolution reads as channels.

    y[n, (c, k), i] = x[n, c, stride*i + dilation*k - pad], zero outside

    Shape   N x C x D1..Dr  ->  N x C*prod(kernel_size) x E1..Er
            E = floor((D + 2*pad - dilation*(kernel_size - 1) - 1) / stride) + 1
    Rejects E404 if there is no spatial axis
            E403 if a window does not fit
    Source  BVLC/caffe, src/caffe/layers/im2col_layer.cpp
    """

    family = "shape"
    message = "convolution_param"
    bottoms = (1, 1)
    tops = (1, 1)

    num_output: int = param(default=None, minimum=1, doc="ignored")

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the windows as channels."""
        x = bottoms[0]
        axis = canonical_axis(self, "axis", x)
        need_rank(x, axis + 2)
        window = self.window(x)
        channels = x.shape[axis] * product(window.kernel)
        return [Blob((*x.shape[:axis], channels, *window.slide(x.shape[axis + 1 :])), x.dtype)]

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield nothing: the windows are only copied."""
        yield from ()

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Return 0: the windows are only copied."""
        return 0
