"""SeparableConvolution."""

from __future__ import annotations

from ..blob import Blob
from ..dim import product
from ..layer import canonical_axis, param
from .convolution import Convolution, refuse_groups

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size
    from ..layer import Filler


class SeparableConvolution(Convolution):
    """Slide filters over each channel by itself, then mix the channels at each place.

    A DepthwiseConvolution without bias, then a Convolution of kernel_size 1 with the bias.

    Shape   N x C x D1..Dr  ->  N x num_output x E1..Er, with E of Convolution
    Rejects E413 if group is not 1
    Source  arXiv 1610.02357, figure 4; the order of keras.layers.SeparableConv2D
    """

    message = "separable_convolution_param"

    depth_multiplier: int = param(default=1, minimum=1, doc="filters for each channel")

    def groups(self, channels: Size) -> Size:
        """Return 1: every output reads all channels."""
        refuse_groups(self)
        return 1

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the filters of the channels, those that mix them, and the offsets."""
        x = bottoms[0]
        kernel = self.window(x).kernel
        middle = x.shape[canonical_axis(self, "axis", x)] * self.depth_multiplier
        yield "depthwise.weight", (middle, 1, *kernel)
        yield "pointwise.weight", (self.num_output, middle, *(1 for _ in kernel))
        if self.bias_term:
            yield "pointwise.bias", (self.num_output,)

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the weights start: both filters by `weight_filler`."""
        named = {
            "depthwise.weight": "weight_filler",
            "pointwise.weight": "weight_filler",
            "pointwise.bias": "bias_filler",
        }
        return {weight: getattr(self, f) for weight, f in named.items() if f in self.given}

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count the taps of both filters, at each place of the tops."""
        x, top = bottoms[0], tops[0]
        axis = canonical_axis(self, "axis", x)
        middle = x.shape[axis] * self.depth_multiplier
        places = product(top.shape[:axis]) * product(top.shape[axis + 1 :])
        taps = product(self.window(x).kernel) + self.num_output
        return places * middle * taps * len(tops)
