"""Blob and Window: the type of a tensor, and sliding-window arithmetic."""

from __future__ import annotations

from .dim import Dim, ceil_div, product

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .dim import Size

FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})
DTYPES = FLOATS | {"int8", "uint8", "int16", "int32", "int64", "bool"}


class Blob:
    """The shape and dtype of a tensor; axes are N, C, then the spatial ones, where it has them."""

    __slots__ = ("dtype", "shape")

    def __init__(self, shape: Iterable[Size], dtype: str = "float32") -> None:
        self.shape = tuple(shape)
        self.dtype = dtype

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Blob):
            return NotImplemented
        return self.shape == other.shape and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))

    def __repr__(self) -> str:
        return f"Blob({self}, {self.dtype})"

    def __str__(self) -> str:
        return "x".join(
            f"({size})" if isinstance(size, Dim) and [*size.terms.values()] != [1] else str(size)
            for size in self.shape
        )

    @property
    def rank(self) -> int:
        """Return the number of axes."""
        return len(self.shape)

    @property
    def channels(self) -> Size:
        """Return the extent of axis 1."""
        return self.shape[1]

    @property
    def spatial(self) -> tuple[Size, ...]:
        """Return the extents of the axes after the channels."""
        return self.shape[2:]

    @property
    def size(self) -> Size:
        """Return the number of elements."""
        return product(self.shape)

    def like(self, channels: Size | None = None, spatial: Sequence[Size] | None = None) -> Blob:
        """Return this blob with other channels, other spatial extents, or both."""
        batch, old = self.shape[0], self.shape[1]
        rest = self.shape[2:] if spatial is None else tuple(spatial)
        return Blob((batch, old if channels is None else channels, *rest), self.dtype)

    def resized(self, axis: int, size: Size) -> Blob:
        """Return this blob with another extent along one axis (from 0)."""
        return Blob((*self.shape[:axis], size, *self.shape[axis + 1 :]), self.dtype)


class Window:
    """A sliding window: kernel, stride, pad and dilation for each spatial axis.

    `pad` holds the zeros before the first element, `pad_end` those after the last.
    """

    __slots__ = ("dilation", "kernel", "pad", "pad_end", "stride")

    def __init__(
        self,
        kernel: Sequence[int],
        stride: Sequence[int],
        pad: Sequence[int],
        dilation: Sequence[int] = (),
        pad_end: Sequence[int] = (),
    ) -> None:
        self.kernel = tuple(kernel)
        self.stride = tuple(stride)
        self.pad = tuple(pad)
        self.dilation = tuple(dilation) or (1,) * len(self.kernel)
        self.pad_end = tuple(pad_end) or self.pad

    @property
    def extent(self) -> tuple[int, ...]:
        """Return the span of input each window covers, holes included."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    def slide(self, spatial: Sequence[Size]) -> tuple[Size, ...]:
        """Return how many windows fit: floor((D + pad - extent) / stride) + 1 for each axis.

        As Caffe's C++ division, the quotient of integers is cut towards zero: a window at most
        stride - 1 larger than its padded input still yields one output.
        Source: BVLC/caffe, src/caffe/layers/conv_layer.cpp, compute_output_shape.
        """
        return tuple(
            _cut(size + before + after - extent, stride) + 1
            for size, extent, stride, before, after in zip(
                spatial, self.extent, self.stride, self.pad, self.pad_end, strict=True
            )
        )

    def slide_up(self, spatial: Sequence[Size]) -> tuple[Size, ...]:
        """Return how many windows fit where the last may hang over the end (round up).

        A last window that would start in the padding after the input is dropped, if there is any
        padding. Source: BVLC/caffe, src/caffe/layers/pooling_layer.cpp, Reshape.
        """
        padded = any(self.pad) or any(self.pad_end)
        return tuple(
            # min(ceil((D+2p-k)/s) + 1, ceil((D+p)/s)) is one ceil: the difference is constant
            ceil_div(size + before + min(after - extent + stride, 0), stride)
            if padded
            else ceil_div(size - extent, stride) + 1
            for size, extent, stride, before, after in zip(
                spatial, self.extent, self.stride, self.pad, self.pad_end, strict=True
            )
        )

    def spread(self, spatial: Sequence[Size], extra: Sequence[int] = ()) -> tuple[Size, ...]:
        """Return the extents a transposed window makes: stride * (D - 1) + extent - pad + extra."""
        return tuple(
            stride * (size - 1) + extent - before - after + more
            for size, extent, stride, before, after, more in zip(
                spatial,
                self.extent,
                self.stride,
                self.pad,
                self.pad_end,
                extra or (0,) * len(self.kernel),
                strict=True,
            )
        )


def _cut(numerator: Size, stride: int) -> Size:
    if isinstance(numerator, int) and numerator < 0:
        return -(-numerator // stride)
    return numerator // stride
