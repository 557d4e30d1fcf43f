"""DepthwiseConvolution."""

from __future__ import annotations

from .. import codes
from ..layer import Reject, param
from .convolution import Convolution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..dim import Size


class DepthwiseConvolution(Convolution):
    """Slide filters over each channel by itself, then add a bias.

    y[n, m*c + j, i] = bias[m*c + j] + sum over k of w[m*c + j, 0, k] * x[n, c, stride*i + ..]
    for each j below m = depth_multiplier; a Convolution with a group for each channel

    Shape   N x C x D1..Dr  ->  N x depth_multiplier*C x E1..Er, with E of Convolution
    Rejects E413 if num_output or group is given, and is not what C says
    Source  yonghenglh6/DepthwiseConvolution, caffe/src/caffe/layers/depthwise_conv_layer.cpp;
            depth_multiplier is this language's own
    """

    message = "convolution_param"

    num_output: int = param(
        default=None, minimum=1, doc="channels of the top; depth_multiplier times the bottom's"
    )
    group: int = param(default=None, minimum=1, doc="the channels of the bottom, if given at all")
    depth_multiplier: int = param(default=None, minimum=1, doc="filters for each channel; 1")

    def filters(self, channels: Size) -> Size:
        """Return the channels of the top."""
        if self.num_output is None:
            return channels * (self.depth_multiplier or 1)
        wanted = channels * self.depth_multiplier if self.depth_multiplier else None
        if self.num_output % channels != 0 or wanted not in (None, self.num_output):
            raise Reject(
                codes.BadParam, at="num_output", value=self.num_output,
                reason=f"must be {self.depth_multiplier or 'a whole number of'} times "
                f"the {channels} channels of the bottom",
            )  # fmt: skip
        return self.num_output

    def groups(self, channels: Size) -> Size:
        """Return the channels of the bottom."""
        if self.group not in (None, channels):
            raise Reject(
                codes.BadParam, at="group", value=self.group,
                reason=f"must be the {channels} channels of the bottom",
            )  # fmt: skip
        return channels
