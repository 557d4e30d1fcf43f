"""Unpooling."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, PerAxis, need_rank, param, per_axis, same_shape
from .convolution import sided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size


class Unpooling(Layer):
    """Put each element back where a Pooling took it from; the rest is zero.

    y[n, c, mask[n, c, i]] = x[n, c, i], with the flat indices of Pooling's second top

    Shape   N x C x D1..Dr, the same  ->  N x C x E1..Er
            E = stride*(D - 1) + kernel_size - 2*pad, or unpool_size
    Rejects E402 if the second bottom has not the shape of the first
            E404 if there is no spatial axis
    Source  HyeonwooNoh/caffe, src/caffe/layers/unpooling_layer.cpp; arXiv 1505.04366
    """

    family = "pooling"
    bottoms = 2
    reads = ("float", "any")
    no_gradient = (1,)

    unpool: str = param(default="MAX", choices=("MAX",), doc="what the pooling was")
    kernel_size: PerAxis = param(default=None, minimum=1, doc="window of the pooling, pixels")
    stride: PerAxis = param(default=None, minimum=1, doc="its step, pixels; 1")
    pad: PerAxis = param(default=None, minimum=0, doc="its padding, pixels; 0")
    kernel_h: int = param(default=None, minimum=1, doc="its height; 2-D only")
    kernel_w: int = param(default=None, minimum=1, doc="its width; 2-D only")
    stride_h: int = param(default=None, minimum=1, doc="its vertical step; 2-D only")
    stride_w: int = param(default=None, minimum=1, doc="its horizontal step; 2-D only")
    pad_h: int = param(default=None, minimum=0, doc="its padding above and below; 2-D only")
    pad_w: int = param(default=None, minimum=0, doc="its padding left and right; 2-D only")
    unpool_size: PerAxis = param(default=None, minimum=1, doc="extent of the top, pixels")
    unpool_h: int = param(default=None, minimum=1, doc="height of the top; 2-D only")
    unpool_w: int = param(default=None, minimum=1, doc="width of the top; 2-D only")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the blob the pooling had read."""
        x = bottoms[0]
        need_rank(x, 3)
        return x.like(spatial=self.extents(x.spatial))

    def extents(self, spatial: tuple[Size, ...]) -> tuple[Size, ...]:
        """Return the spatial extents of the top for those of the bottom."""
        axes = len(spatial)
        if self.unpool_h is not None and self.unpool_w is not None and axes == 2:
            return self.unpool_h, self.unpool_w
        if self.unpool_size is not None:
            return per_axis(self, "unpool_size", axes, 1)
        kernel = sided(self, "kernel", axes, None)
        stride, pad = sided(self, "stride", axes, 1), sided(self, "pad", axes, 0)
        return tuple(
            s * (size - 1) + k - 2 * p
            for size, k, s, p in zip(spatial, kernel, stride, pad, strict=True)
        )

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that the indices have the shape of the elements."""
        yield from same_shape(*bottoms)
