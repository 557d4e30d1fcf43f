"""ConvolutionDepthwise."""

from __future__ import annotations

from ..layer import param
from .convolution import Convolution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..dim import Size


class ConvolutionDepthwise(Convolution):
    """Slide one filter over each channel, then add a bias.

    y[n, c, i] = bias[c] + sum over k of w[c, 0, k] * x[n, c, stride*i + dilation*k - pad]
    MobileNets and ShuffleNets use it; DepthwiseConvolution is the same with more filters a channel

    Shape   N x C x D1..Dr  ->  N x C x E1..Er, with E of Convolution
    Source  pull request 5665 to Caffe, src/caffe/layers/conv_dw_layer.cpp, which looks at neither
            num_output nor group
    """

    message = "convolution_param"

    num_output: int = param(default=None, minimum=1, doc="ignored: the channels of the bottom")
    group: int = param(default=None, minimum=1, doc="ignored: the channels of the bottom")

    def filters(self, channels: Size) -> Size:
        """Return the channels of the top."""
        return channels

    def groups(self, channels: Size) -> Size:
        """Return the channels of the bottom."""
        return channels
