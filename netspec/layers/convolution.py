"""Convolution."""

from __future__ import annotations

from .. import codes
from ..blob import Blob, Window
from ..dim import product
from ..layer import Filler, Layer, PerAxis, Reject, canonical_axis, param, per_axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class Convolution(Layer):
    """Slide a bank of learned filters over the spatial axes, then add a bias.

    y[n, o, i] = bias[o] + sum over c, k of w[o, c, k] * x[n, c, stride*i + dilation*k - pad]

    Shape   N x C x D1..Dr  ->  N x num_output x E1..Er
            E = floor((D + 2*pad - dilation*(kernel_size - 1) - 1) / stride) + 1
    Rejects E401 if `group` does not divide C and num_output
    Source  BVLC/caffe, src/caffe/layers/conv_layer.cpp, compute_output_shape
    """

    family = "convolution"
    bottoms = (1, None)
    tops = (1, None)

    num_output: int = param(minimum=1, doc="filters, that is channels of the top")
    kernel_size: PerAxis = param(default=None, minimum=1, doc="filter extent, pixels")
    stride: PerAxis = param(default=None, minimum=1, doc="step between windows, pixels; 1")
    pad: PerAxis = param(default=None, minimum=0, doc="zeros on each side, pixels; 0")
    dilation: PerAxis = param(default=None, minimum=1, doc="step between filter taps, pixels; 1")
    kernel_h: int = param(default=None, minimum=1, doc="filter height; 2-D only")
    kernel_w: int = param(default=None, minimum=1, doc="filter width; 2-D only")
    stride_h: int = param(default=None, minimum=1, doc="vertical step; 2-D only")
    stride_w: int = param(default=None, minimum=1, doc="horizontal step; 2-D only")
    pad_h: int = param(default=None, minimum=0, doc="zeros above and below; 2-D only")
    pad_w: int = param(default=None, minimum=0, doc="zeros left and right; 2-D only")
    group: int = param(default=1, minimum=1, doc="independent groups of channels")
    bias_term: bool = param(default=True, doc="learn one offset per filter")
    axis: int = param(default=1, doc="the axis of the channels; those after it are spatial")
    weight_filler: Filler = param(default=None, doc="how the filters start")
    bias_filler: Filler = param(default=None, doc="how the offsets start")
    engine: str = param(default="DEFAULT", choices=("DEFAULT", "CAFFE"), doc="ignored")
    force_nd_im2col: bool = param(default=False, doc="ignored")

    def window(self, *bottoms: Blob) -> Window:
        """Return the window over the axes after the channels."""
        axes = bottoms[0].rank - canonical_axis(self, "axis", bottoms[0]) - 1
        kernel = sided(self, "kernel", axes, None)
        return Window(
            kernel,
            sided(self, "stride", axes, 1),
            sided(self, "pad", axes, 0),
            per_axis(self, "dilation", axes, 1),
        )

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return one top for each bottom; all bottoms are of one shape."""
        x = bottoms[0]
        axis = canonical_axis(self, "axis", x)
        channels = x.shape[axis]
        for side, count in ("input", channels), ("output", self.num_output):
            if count % self.group != 0:
                raise Reject(
                    codes.NotDivisible, at="group", value=self.group, side=side, channels=count
                )
        spatial = self.spread(x.shape[axis + 1 :], self.window(x))
        top = Blob((*x.shape[:axis], self.num_output, *spatial), x.dtype)
        return [top for _ in range(self.top_count)]

    def spread(self, spatial: Sequence[Size], window: Window) -> tuple[Size, ...]:
        """Return the spatial extents of the top."""
        return window.slide(spatial)

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Every bottom has the shape of the first."""
        yield from same_shape(*bottoms)

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the filters and the offsets."""
        x = bottoms[0]
        channels = x.shape[canonical_axis(self, "axis", x)]
        yield "weight", (self.num_output, channels // self.group, *self.window(x).kernel)
        if self.bias_term:
            yield "bias", (self.num_output,)

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count one for each filter tap of each element of the tops."""
        x = bottoms[0]
        channels = x.shape[canonical_axis(self, "axis", x)]
        taps = (channels // self.group) * product(self.window(x).kernel)
        return tops[0].size * taps * len(tops)


def sided(layer: Layer, name: str, axes: int, default: int | None) -> tuple[int, ...]:
    """Return kernel, stride or pad: one value for all axes, one for each, or the _h and _w pair.

    Rejects E407 where both forms are given, E408 where a needed one is not, and E412.
    Source: BVLC/caffe, src/caffe/layers/base_conv_layer.cpp, LayerSetUp.
    """
    whole = "kernel_size" if name == "kernel" else name
    pair = [f"{name}_h", f"{name}_w"]
    given = [side for side in pair if side in layer.given]
    if given:
        if whole in layer.given:
            raise Reject(codes.ParamConflict, at=given[0], param=given[0], other=whole)
        if axes != 2:
            raise Reject(codes.WrongParamCount, at=given[0], count=2, axes=axes)
        if len(given) == 1 and name != "pad":
            missing = next(side for side in pair if side not in given)
            raise Reject(codes.ParamMissing, at=given[0], param=missing, what=f" beside `{given[0]}`")
        return tuple(getattr(layer, side) or 0 for side in pair)
    if default is None and getattr(layer, whole) is None:
        doc = layer.params[whole].doc
        raise Reject(codes.ParamMissing, param=whole, what=f" ({doc})")
    return per_axis(layer, whole, axes, default or 0)


def same_shape(*bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
    """Yield that every bottom must have the shape of the first. Rejects E404 for the rank."""
    first = bottoms[0]
    for index, other in enumerate(bottoms[1:], 1):
        if other.rank != first.rank:
            raise Reject(
                codes.WrongRank, expected=first.rank, rank=other.rank, shape=str(other),
                bottom=index,
            )  # fmt: skip
        for axis, (size, wanted) in enumerate(zip(other.shape, first.shape, strict=True)):
            yield f"axis {axis}", size, wanted, index
