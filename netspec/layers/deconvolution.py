"""Deconvolution."""

from __future__ import annotations

from .. import codes
from ..blob import Blob, Window
from ..dim import product
from ..layer import PerAxis, Reject, canonical_axis, param, per_axis
from .convolution import Convolution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class Deconvolution(Convolution):
    """Spread each element through a learned filter, add where they overlap, then add a bias.

    y[n, o, stride*i + dilation*k - pad] += w[c, o, k] * x[n, c, i], over all c, i and k

    The transpose of Convolution: it makes the input of a convolution of the same window out of
    that convolution's output. A bilinear filler with kernel_size 2*f - f%2, stride f, pad
    ceil((f - 1)/2), group = num_output = C and bias_term false upsamples by f.

    Shape   N x C x D1..Dr  ->  N x num_output x E1..Er
            E = stride*(D - 1) + dilation*(kernel_size - 1) + 1 - 2*pad + output_padding
    Rejects E401 if `group` does not divide C and num_output
            E409 if a top would be empty
            E413 if `output_padding` is not below stride or dilation
    Source  BVLC/caffe, src/caffe/layers/deconv_layer.cpp, compute_output_shape
            output_padding is this language's own
    """

    message = "convolution_param"

    output_padding: PerAxis = param(
        default=None, minimum=0, doc="extent added after the last element, pixels; 0"
    )

    def spread(self, spatial: Sequence[Size], window: Window) -> tuple[Size, ...]:
        """Return the spatial extents of the top."""
        return window.spread(spatial, self.extra(window))

    def extra(self, window: Window) -> tuple[int, ...]:
        """Return `output_padding` for each axis."""
        extra = per_axis(self, "output_padding", len(window.kernel), 0)
        for more, stride, dilation in zip(extra, window.stride, window.dilation, strict=True):
            if more and more >= max(stride, dilation):
                raise Reject(
                    codes.BadParam, at="output_padding", value=more,
                    reason=f"must be below the stride {stride} or the dilation {dilation}",
                )  # fmt: skip
        return extra

    def automatic(self, window: Window) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Reject `pad_type`: it says what a convolution reads."""
        raise Reject(
            codes.BadParam, at="pad_type", value=self.pad_type, reason="is for convolutions"
        )

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the filters and the offsets."""
        x = bottoms[0]
        channels = x.shape[canonical_axis(self, "axis", x)]
        yield "weight", (channels, self.num_output // self.group, *self.window(x).kernel)
        if self.bias_term:
            yield "bias", (self.num_output,)

    def output_axis(self) -> int:
        """Return 1: the weight is stored as inputs x outputs."""
        return 1

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count one for each filter tap of each element of the bottoms."""
        taps = (self.num_output // self.group) * product(self.window(bottoms[0]).kernel)
        return bottoms[0].size * taps * len(tops)
