"""Upsample."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, PerAxis, Reject, given_together, need_rank, param, per_axis, same_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size


class Upsample(Layer):
    """Enlarge the spatial axes; with a second bottom, put elements back where pooling took them.

    NEAREST: y[i] = x[floor(i * D / E)]
    BILINEAR: interpolate along each axis at (i + 1/2) * D/E - 1/2, held at the ends, or at
    i * (D - 1)/(E - 1) with align_corners; linear in 1-D, trilinear in 3-D. BICUBIC: 2-D only.
    Two bottoms: y[mask[i]] = x[i], zero elsewhere; the mask is the second top of a Pooling.

    Shape   N x C x D1..Dr  ->  N x C x E1..Er
            E = scale*D, or size; with a mask scale*D - 1 where pad_out is true
    Rejects E407 if scale and size are both given
            E408 if neither is
            E402, E404 if the mask has not the shape of the elements, or there are not 3 to 5 axes
            E412 if `scale` or `size` is given neither once nor once for each spatial axis
            E413 if a param does not suit the mode or the number of axes
    Source  one bottom: weiliu89/caffe and YOLO forks, upsample_param; torch.nn.Upsample
            two: alexgkendall/caffe-segnet, src/caffe/layers/upsample_layer.cpp
    """

    family = "pooling"
    bottoms = (1, 2)
    reads = ("float", "any")
    no_gradient = (1,)

    scale: PerAxis = param(default=None, minimum=1, doc="factor of the extents; 2 with a mask")
    scale_h: int = param(default=None, minimum=1, doc="factor of the height; 2-D only")
    scale_w: int = param(default=None, minimum=1, doc="factor of the width; 2-D only")
    size: PerAxis = param(default=None, minimum=1, doc="extent of the top, pixels")
    upsample_h: int = param(default=None, minimum=1, doc="height of the top; 2-D only")
    upsample_w: int = param(default=None, minimum=1, doc="width of the top; 2-D only")
    pad_out_h: bool = param(default=False, doc="with a mask: the height is one less")
    pad_out_w: bool = param(default=False, doc="with a mask: the width is one less")
    mode: str = param(
        default="NEAREST", choices=("NEAREST", "BILINEAR", "BICUBIC"), doc="how to interpolate"
    )
    align_corners: bool = param(default=False, doc="keep the corners where they are; not NEAREST")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the larger blob."""
        x = bottoms[0]
        need_rank(x, 3, 5)
        if self.mode == "BICUBIC" and x.rank != 4:
            raise Reject(codes.BadParam, at="mode", value=self.mode, reason="is for 4 axes only")
        if self.align_corners and self.mode == "NEAREST":
            raise Reject(
                codes.BadParam, at="align_corners", value="true", reason="is not for mode NEAREST"
            )
        fixed = self.fixed(x)
        if fixed is not None:
            return x.like(spatial=fixed)
        less = self.less(x)
        return x.like(
            spatial=[
                size * factor - cut
                for size, factor, cut in zip(x.spatial, self.factors(x), less, strict=True)
            ]
        )

    def fixed(self, x: Blob) -> tuple[int, ...] | None:
        """Return the spatial extents of the top where they are given."""
        pair = self.pair("upsample_h", "upsample_w", x)
        sizes: tuple[str, ...] = ("size", "upsample_h", "scale", "scale_h")
        names = [name for name in sizes if name in self.given]
        if len(names) > 1:
            raise Reject(codes.ParamConflict, at=names[1], param=names[1], other=names[0])
        if pair is not None or self.size is None:
            return pair
        return per_axis(self, "size", len(x.spatial), 1)

    def factors(self, x: Blob) -> tuple[int, ...]:
        """Return the factor of each spatial axis."""
        pair = self.pair("scale_h", "scale_w", x)
        if pair is None and self.scale is None and self.bottom_count == 1:
            raise Reject(codes.ParamMissing, param="scale", what=" or `size`")
        return pair or per_axis(self, "scale", len(x.spatial), 2)

    def pair(self, first: str, second: str, x: Blob) -> tuple[int, int] | None:
        """Return a param of the height and one of the width; None where neither is given."""
        if not given_together(self, first, second):
            return None
        if len(x.spatial) != 2:
            raise Reject(codes.WrongParamCount, at=first, count=2, axes=len(x.spatial))
        return getattr(self, first), getattr(self, second)

    def less(self, x: Blob) -> tuple[int, ...]:
        """Return what `pad_out` takes off each extent."""
        for name in ("pad_out_h", "pad_out_w"):
            if getattr(self, name) and (self.bottom_count == 1 or len(x.spatial) != 2):
                raise Reject(
                    codes.BadParam, at=name, value="true", reason="is for 2-D with a mask only"
                )
        if len(x.spatial) != 2:
            return (0,) * len(x.spatial)
        return int(self.pad_out_h), int(self.pad_out_w)

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that a mask has the shape of the elements."""
        yield from same_shape(*bottoms)
