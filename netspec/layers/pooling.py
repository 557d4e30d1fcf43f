"""Pooling."""

from __future__ import annotations

from .. import codes
from ..blob import Blob, Window
from ..dim import Dim
from ..layer import Layer, PerAxis, Reject, param, per_axis
from .convolution import padding, sided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..dim import Size


class Pooling(Layer):
    """Take one value out of each window: the largest, the mean, one drawn, or the length.

    MAX: the largest; the first of equals, -FLT_MAX where a window holds no element
    AVE: the sum over the window's extent cut to the padded input: padding counts, what hangs over
    its end does not. AVE_EXC_PAD, or count_include_pad false: padding does not count either
    STOCHASTIC: one element, drawn in proportion to it; in test the mean weighted by the elements
    L2: the square root of the sum of squares

    Rounds up, unlike Convolution and most other frameworks, and then drops a last window that
    would start in the padding. round_mode FLOOR, or ceil_mode false, rounds down.

    Shape   N x C x D1..Dr  ->  N x C x E1..Er
            E = ceil((D + 2*pad - kernel_size) / stride) + 1; if there is any padding, one less
            where (E - 1)*stride >= D + pad. global_pooling: E = 1. output_size: E as given
            A second top, of MAX, is the flat index of each largest element, as a float.
    Phase   STOCHASTIC draws in train only
    Rejects E404 if there are not 4 axes (3 and 5 are this language's own)
            E407 if kernel_size and kernel_h, global_pooling and a kernel, .. are both given
            E408 if there is no kernel, or one of a pair such as pad_h, pad_w
            E412 if a window is given neither once nor once for each axis
            E413 if a pad is not below its kernel
    Source  BVLC/caffe, src/caffe/layers/pooling_layer.cpp, Reshape and Forward_cpu
            ceil_mode, dilation, pad_l .. pad_b, AVE_EXC_PAD and kernel_depth are forks'
    """

    family = "pooling"
    one_gradient = True
    tops = (1, 2)

    pool: str = param(
        default="MAX", choices=("MAX", "AVE", "STOCHASTIC", "AVE_EXC_PAD", "L2"),
        doc="which value",
    )  # fmt: skip
    kernel_size: PerAxis = param(default=None, minimum=1, doc="window extent, pixels")
    stride: PerAxis = param(default=None, minimum=1, doc="step between windows, pixels; 1")
    pad: PerAxis = param(default=None, minimum=0, doc="padding on each side, pixels; 0")
    dilation: PerAxis = param(default=None, minimum=1, doc="step between window taps, pixels; 1")
    kernel_h: int = param(default=None, minimum=1, doc="window height; 2-D only")
    kernel_w: int = param(default=None, minimum=1, doc="window width; 2-D only")
    kernel_depth: int = param(default=None, minimum=1, doc="window depth; 3-D only")
    stride_h: int = param(default=None, minimum=1, doc="vertical step; 2-D only")
    stride_w: int = param(default=None, minimum=1, doc="horizontal step; 2-D only")
    stride_depth: int = param(default=None, minimum=1, doc="step along the depth; 1")
    pad_h: int = param(default=None, minimum=0, doc="padding above and below; 2-D only")
    pad_w: int = param(default=None, minimum=0, doc="padding left and right; 2-D only")
    pad_depth: int = param(default=None, minimum=0, doc="padding before and after the depth; 0")
    pad_begin: PerAxis = param(default=None, minimum=0, doc="padding before the first element; 0")
    pad_end: PerAxis = param(default=None, minimum=0, doc="padding after the last element; 0")
    pad_l: int = param(default=None, minimum=0, doc="padding on the left; 2-D only")
    pad_r: int = param(default=None, minimum=0, doc="padding on the right; 2-D only")
    pad_t: int = param(default=None, minimum=0, doc="padding above; 2-D only")
    pad_b: int = param(default=None, minimum=0, doc="padding below; 2-D only")
    global_pooling: bool = param(default=False, doc="one window over all of the input")
    output_size: PerAxis = param(
        default=None, minimum=1, doc="extent of the top, in place of a window: adaptive pooling"
    )
    round_mode: str = param(default="CEIL", choices=("CEIL", "FLOOR"), doc="how to round extents")
    ceil_mode: bool = param(default=True, doc="another form of round_mode")
    count_include_pad: bool = param(default=True, doc="AVE: padding counts in the divisor")
    engine: str = param(default="DEFAULT", choices=("DEFAULT", "CAFFE", "CUDNN"), doc="ignored")

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the pooled blob, and its like for the indices."""
        x = bottoms[0]
        if x.rank not in (3, 4, 5):
            raise Reject(codes.WrongRank, expected=4, rank=x.rank, shape=str(x))
        if self.top_count == 2 and self.pool != "MAX":
            raise Reject(codes.WrongCount, at="top", key="top", expected=1, count=2)
        self.check()
        top = x.like(spatial=self.extents(x))
        return [top] * self.top_count

    def check(self) -> None:
        """Reject params that exclude each other."""
        if "ceil_mode" in self.given and "round_mode" in self.given:
            raise Reject(codes.ParamConflict, at="ceil_mode", param="ceil_mode", other="round_mode")
        whole = next((n for n in ("global_pooling", "output_size") if getattr(self, n)), None)
        if whole is None:
            return
        for name in (*WINDOW, "output_size"):
            neutral = 1 if name.startswith("stride") else 0
            if name in self.given and name != whole and getattr(self, name) != neutral:
                raise Reject(codes.ParamConflict, at=name, param=name, other=whole)

    def extents(self, x: Blob) -> tuple[Size, ...]:
        """Return the spatial extents of the top."""
        axes = len(x.spatial)
        if self.global_pooling:
            return (1,) * axes
        if self.output_size is not None:
            return per_axis(self, "output_size", axes, 1)
        window = self.sliding(axes)
        if self.rounds_up:
            return window.slide_up(x.spatial)
        return tuple(
            (size + before + after - extent) // stride + 1
            for size, extent, stride, before, after in zip(
                x.spatial, window.extent, window.stride, window.pad, window.pad_end, strict=True
            )
        )

    @property
    def rounds_up(self) -> bool:
        """Return whether a last window may hang over the end."""
        return self.round_mode == "CEIL" and self.ceil_mode

    @property
    def includes_pad(self) -> bool:
        """Return whether a mean counts the padding."""
        return self.count_include_pad and self.pool != "AVE_EXC_PAD"

    def window(self, *bottoms: Blob) -> Window | None:
        """Return the window; none where it differs from place to place."""
        sizes = bottoms[0].spatial
        if self.global_pooling or self.output_size is not None:
            known = tuple(size for size in sizes if not isinstance(size, Dim))
            if len(known) < len(sizes):
                return None
            extents = per_axis(self, "output_size", len(sizes), 1)
            if any(size % extent for size, extent in zip(known, extents, strict=True)):
                return None
            kernel = tuple(size // extent for size, extent in zip(known, extents, strict=True))
            return Window(kernel, kernel, (0,) * len(sizes))
        return self.sliding(len(sizes))

    def sliding(self, axes: int) -> Window:
        """Return the window that slides over `axes` spatial axes."""
        kernel = self.deep("kernel", axes, None)
        stride = self.deep("stride", axes, 1)
        if self.pad_depth is not None:
            pad = pad_end = self.deep("pad", axes, 0)
        else:
            for one, other in ("pad_h", "pad_w"), ("pad_w", "pad_h"):
                if one in self.given and other not in self.given:
                    raise Reject(codes.ParamMissing, at=one, param=other, what=f" beside `{one}`")
            pad, pad_end = padding(self, axes)
        window = Window(kernel, stride, pad, per_axis(self, "dilation", axes, 1), pad_end)
        if any(pad) or any(pad_end):
            self.check_pad(window)
        return window

    def deep(self, name: str, axes: int, default: int | None) -> tuple[int, ...]:
        """Return kernel, stride or pad for each axis; `_depth` is that of the first of three."""
        depth = f"{name}_depth"
        if depth in self.given:
            if axes != 3:
                raise Reject(codes.WrongParamCount, at=depth, count=3, axes=axes)
            return (getattr(self, depth), *sided(self, name, 2, default))
        if self.kernel_depth is not None and axes == 3:
            return (default or 0, *sided(self, name, 2, default))
        return sided(self, name, axes, default)

    def check_pad(self, window: Window) -> None:
        """Reject E413 a pad that is not below its kernel, and any with STOCHASTIC."""
        at = next(name for name in WINDOW if name.startswith("pad") and name in self.given)
        if self.pool == "STOCHASTIC":
            raise Reject(
                codes.BadParam, at=at, value=getattr(self, at), reason="is not for STOCHASTIC"
            )
        for pad in (window.pad, window.pad_end):
            for axis, (zeros, extent) in enumerate(zip(pad, window.extent, strict=True)):
                if zeros >= extent:
                    if at == "pad_h" and len(pad) == 2:
                        at = ("pad_h", "pad_w")[axis]
                    raise Reject(
                        codes.BadParam, at=at, value=zeros,
                        reason=f"must be below the window extent {extent}",
                    )  # fmt: skip


WINDOW = tuple(
    f"{name}{side}"
    for name, sides in (
        ("kernel", ("_size", "_h", "_w", "_depth")),
        ("pad", ("", "_h", "_w", "_depth", "_begin", "_end", "_l", "_r", "_t", "_b")),
        ("stride", ("", "_h", "_w", "_depth")),
        ("dilation", ("",)),
    )
    for side in sides
)
