"""Convolution."""

from __future__ import annotations

from .. import codes
from ..blob import Blob, Window
from ..dim import product
from ..layer import (
    PARAMETRIZATIONS,
    Counts,
    Filler,
    Layer,
    PerAxis,
    Reject,
    canonical_axis,
    param,
    per_axis,
    same_shape,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class Convolution(Layer):
    """Slide a bank of learned filters over the spatial axes, then add a bias.

    y[n, o, i] = bias[o] + sum over c, k of w[o, c, k] * x[n, c, stride*i + dilation*k - pad]

    The filters are not flipped (cross-correlation). Several bottoms share the weights, and
    give a top each. All axes before `axis` are batch. With dilation 0, which Caffe takes, all
    taps of a filter read one element.

    Shape   N x C x D1..Dr  ->  N x num_output x E1..Er
            E = floor((D + 2*pad - dilation*(kernel_size - 1) - 1) / stride) + 1
            A window larger than its padded input by less than `stride` still gives E = 1, with
            zeros past the end: C++ cuts the quotient towards zero.
    Rejects E401 if `group` does not divide C and num_output
            E403 if a window does not fit
            E407 if two forms of one param are given, such as `pad` and `pad_h`
            E408 if there is no kernel, or one of a pair such as kernel_h, kernel_w
            E412 if a param is given neither once nor once for each spatial axis
            E402, E404 if several bottoms are not of one shape
            E405 if there is no axis `axis`
            E330 if there are not as many tops as bottoms
            E413 if `pad_type` does not suit, or a bilinear filler fills no square 2-D filters
    Source  BVLC/caffe, src/caffe/layers/conv_layer.cpp, compute_output_shape
            hole is DeepLab's word for dilation; pad_l, pad_r, pad_t, pad_b are forks';
            pad_begin, pad_end and pad_type are this language's own
    """

    family = "convolution"
    bottoms: Counts = (1, None)
    tops: Counts = (1, None)

    num_output: int = param(minimum=1, doc="filters, that is channels of the top")
    kernel_size: PerAxis = param(default=None, minimum=1, doc="filter extent, pixels")
    stride: PerAxis = param(default=None, minimum=1, doc="step between windows, pixels; 1")
    pad: PerAxis = param(default=None, minimum=0, doc="zeros on each side, pixels; 0")
    dilation: PerAxis = param(default=None, minimum=0, doc="step between filter taps, pixels; 1")
    kernel_h: int = param(default=None, minimum=1, doc="filter height; 2-D only")
    kernel_w: int = param(default=None, minimum=1, doc="filter width; 2-D only")
    stride_h: int = param(default=None, minimum=1, doc="vertical step; 2-D only")
    stride_w: int = param(default=None, minimum=1, doc="horizontal step; 2-D only")
    pad_h: int = param(default=None, minimum=0, doc="zeros above and below; 2-D only")
    pad_w: int = param(default=None, minimum=0, doc="zeros left and right; 2-D only")
    pad_begin: PerAxis = param(default=None, minimum=0, doc="zeros before the first element; 0")
    pad_end: PerAxis = param(default=None, minimum=0, doc="zeros after the last element; 0")
    pad_l: int = param(default=None, minimum=0, doc="zeros on the left; 2-D only")
    pad_r: int = param(default=None, minimum=0, doc="zeros on the right; 2-D only")
    pad_t: int = param(default=None, minimum=0, doc="zeros above; 2-D only")
    pad_b: int = param(default=None, minimum=0, doc="zeros below; 2-D only")
    pad_type: str = param(
        default=None, choices=("SAME", "CAUSAL"),
        doc="SAME keeps the extents, at stride 1; CAUSAL pads before only, 1-D, any stride",
    )  # fmt: skip
    hole: PerAxis = param(default=None, minimum=1, doc="another name of dilation")
    hole_h: int = param(default=None, minimum=1, doc="vertical dilation; 2-D only")
    hole_w: int = param(default=None, minimum=1, doc="horizontal dilation; 2-D only")
    group: int = param(default=1, minimum=1, doc="independent groups of channels")
    bias_term: bool = param(default=True, doc="learn one offset per filter")
    axis: int = param(default=1, doc="the axis of the channels; those after it are spatial")
    weight_filler: Filler = param(default=None, doc="how the filters start")
    bias_filler: Filler = param(default=None, doc="how the offsets start")
    engine: str = param(default="DEFAULT", choices=("DEFAULT", "CAFFE", "CUDNN"), doc="ignored")
    force_nd_im2col: bool = param(default=False, doc="ignored")
    spectral_norm: bool = param(default=False, doc="divide the weight by its spectral norm")
    equalized_lr: bool = param(default=False, doc="scale the weight by He's constant at run time")
    equalized_gain: float = param(default=2**0.5, doc="equalized_lr: factor / sqrt(fan in)")
    binary_weight: bool = param(
        default=False, doc="keep only the signs, times the mean of each filter's magnitudes"
    )

    def window(self, *bottoms: Blob) -> Window:
        """Return the window over the axes after the channels."""
        axes = bottoms[0].rank - canonical_axis(self, "axis", bottoms[0]) - 1
        kernel = sided(self, "kernel", axes, None)
        stride = sided(self, "stride", axes, 1)
        dilation = holes(self, axes)
        if self.pad_type:
            pads = self.automatic(Window(kernel, stride, kernel, dilation))
        else:
            pads = padding(self, axes)
        return Window(kernel, stride, pads[0], dilation, pads[1])

    def automatic(self, window: Window) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the zeros before and after each axis that `pad_type` asks for."""
        for name in PADS:
            if name in self.given:
                raise Reject(codes.ParamConflict, at="pad_type", param="pad_type", other=name)
        around = tuple(extent - 1 for extent in window.extent)
        if self.pad_type == "CAUSAL":
            if len(around) != 1:
                raise Reject(
                    codes.BadParam, at="pad_type", value="CAUSAL",
                    reason=f"is for one spatial axis, here are {len(around)}",
                )  # fmt: skip
            return around, (0,)
        if any(step > 1 for step in window.stride):
            raise Reject(
                codes.BadParam, at="pad_type", value="SAME",
                reason=f"is for stride 1, not {max(window.stride)}: give `pad_begin`, `pad_end`",
            )  # fmt: skip
        before = tuple(zeros // 2 for zeros in around)
        return before, tuple(z - b for z, b in zip(around, before, strict=True))

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return one top for each bottom; all bottoms are of one shape."""
        x = bottoms[0]
        axis = canonical_axis(self, "axis", x)
        channels = x.shape[axis]
        square_filler(self, self.window(x).kernel)
        group, outputs = self.groups(channels), self.filters(channels)
        for side, count in ("input", channels), ("output", outputs):
            if count % group != 0:
                raise Reject(codes.NotDivisible, at="group", value=group, side=side, channels=count)
        if self.top_count != self.bottom_count:
            raise Reject(
                codes.WrongCount, at="top", key="top", expected=self.bottom_count,
                count=self.top_count,
            )  # fmt: skip
        spatial = self.spread(x.shape[axis + 1 :], self.window(x))
        top = Blob((*x.shape[:axis], outputs, *spatial), x.dtype)
        return [top for _ in range(self.top_count)]

    def filters(self, channels: Size) -> Size:
        """Return the channels of the top."""
        return self.num_output

    def groups(self, channels: Size) -> Size:
        """Return the number of groups."""
        return self.group

    def spread(self, spatial: Sequence[Size], window: Window) -> tuple[Size, ...]:
        """Return the spatial extents of the top."""
        return window.slide(spatial)

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that every bottom has the shape of the first."""
        yield from same_shape(*bottoms)

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the filters and the offsets."""
        x = bottoms[0]
        channels = x.shape[canonical_axis(self, "axis", x)]
        outputs = self.filters(channels)
        yield "weight", (outputs, channels // self.groups(channels), *self.window(x).kernel)
        if self.bias_term:
            yield "bias", (outputs,)

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count one for each filter tap of each element of the tops."""
        x = bottoms[0]
        channels = x.shape[canonical_axis(self, "axis", x)]
        taps = channels // self.groups(channels) * product(self.window(x).kernel)
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
            what = f" beside `{given[0]}`"
            raise Reject(codes.ParamMissing, at=given[0], param=missing, what=what)
        return tuple(getattr(layer, side) or 0 for side in pair)
    if default is None and getattr(layer, whole) in (None, [], ()):
        doc = layer.params[whole].doc
        raise Reject(codes.ParamMissing, param=whole, what=f" ({doc})")
    return per_axis(layer, whole, axes, default or 0)


SIDES = ("pad_l", "pad_r", "pad_t", "pad_b")
PADS = ("pad", "pad_h", "pad_w", "pad_begin", "pad_end", *SIDES)


def padding(layer: Layer, axes: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the pad before and after each axis, in any of its forms; one form excludes others."""
    forms = [("pad",), ("pad_h", "pad_w"), ("pad_begin", "pad_end"), SIDES]
    used = [[name for name in form if name in layer.given] for form in forms]
    first, *others = [names for names in used if names] or [["pad"]]
    if others:
        raise Reject(codes.ParamConflict, at=others[0][0], param=others[0][0], other=first[0])
    if first[0] in SIDES:
        if axes != 2:
            raise Reject(codes.WrongParamCount, at=first[0], count=2, axes=axes)
        left, right, top, bottom = (getattr(layer, name) or 0 for name in SIDES)
        return (top, left), (bottom, right)
    if first[0] in ("pad_begin", "pad_end"):
        return per_axis(layer, "pad_begin", axes, 0), per_axis(layer, "pad_end", axes, 0)
    pads = sided(layer, "pad", axes, 0)
    return pads, pads


def holes(layer: Layer, axes: int) -> tuple[int, ...]:
    """Return the dilation of each axis; forks call it `hole`."""
    holed = next((name for name in ("hole", "hole_h", "hole_w") if name in layer.given), None)
    if holed is None:
        return per_axis(layer, "dilation", axes, 1)
    if "dilation" in layer.given:
        raise Reject(codes.ParamConflict, at=holed, param=holed, other="dilation")
    return sided(layer, "hole", axes, 1)


def square_filler(layer: Layer, kernel: Sequence[int]) -> None:
    """Reject E413 a bilinear filler for filters that are not square and 2-D."""
    filler = getattr(layer, "weight_filler", None) or {}
    if filler.get("type") == "bilinear" and (len(kernel) != 2 or kernel[0] != kernel[1]):
        shape = "x".join(map(str, kernel)) or "0-D"
        raise Reject(
            codes.BadParam, at="weight_filler", value="bilinear",
            reason=f"fills square 2-D filters, not {shape}",
        )  # fmt: skip


def refuse_groups(layer: Convolution) -> None:
    """Reject E413 groups, and what is for one filter bank, of a layer that has several banks."""
    if layer.group != 1:
        raise Reject(codes.BadParam, at="group", value=layer.group, reason="must be 1")
    for name in PARAMETRIZATIONS:
        if getattr(layer, name):
            raise Reject(
                codes.BadParam, at=name, value="true", reason="is for one filter bank only"
            )
