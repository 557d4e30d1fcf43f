"""Data."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Floats, Layer, Reject, Shape, param
from .input import sizes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..dim import Size


class _Transformed(Layer):
    """The params of transform_param, which data layers of images share."""

    scale: float = param(default=1.0, message="transform_param", doc="factor of pixels; ignored")
    mirror: bool = param(default=False, message="transform_param", doc="flip at random; ignored")
    crop_size: int = param(
        default=0, minimum=0, message="transform_param", doc="side of the square cut out, pixels"
    )
    mean_file: str = param(default="", message="transform_param", doc="mean image; ignored")
    mean_value: Floats = param(
        default=None, message="transform_param", doc="mean of each channel; ignored"
    )
    force_color: bool = param(default=False, message="transform_param", doc="ignored")
    force_gray: bool = param(default=False, message="transform_param", doc="ignored")


class Data(_Transformed):
    """Stand for images and labels that Caffe reads from a database; the caller gives them.

    The extents of an image are in the database, so the spec must say them: in `shape`, which
    Caffe does not have, or by --shape. Mirroring, means and scaling are the caller's as well.

    Shape   ->  batch_size x C x H x W [, batch_size]; with `crop_size` H and W are that
    Rejects E408 if the extents are not known
            E413 if `shape` is not [C, H, W], or smaller than `crop_size`
    Source  BVLC/caffe, src/caffe/layers/data_layer.cpp
    """

    family = "data"
    bottoms = 0
    tops = (1, 2)
    source = True

    source_: str = param(default="", field="source", doc="folder of the database; not read")
    batch_size: int = param(minimum=1, doc="items")
    shape: Shape = param(default=None, doc="extents of an image: channels, rows, columns")
    backend: str = param(default="LEVELDB", choices=("LEVELDB", "LMDB"), doc="ignored")
    rand_skip: int = param(default=0, minimum=0, doc="ignored")
    prefetch: int = param(default=4, minimum=0, doc="ignored")
    force_encoded_color: bool = param(default=False, doc="ignored")
    force_color: bool = param(default=False, message="transform_param", doc="three channels")
    force_gray: bool = param(default=False, message="transform_param", doc="one channel")

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the images and the labels."""
        channels: Size | None = 3 if self.force_color else 1 if self.force_gray else None
        shape = image(self, channels, self.crop_size, self.crop_size)
        return [Blob((self.batch_size, *shape)), Blob((self.batch_size,))][: self.top_count]


def image(layer: Layer, channels: Size | None, height: int, width: int) -> list[Size]:
    """Return channels, rows and columns of an image; 0 and None leave them to `shape`.

    Rejects E408 where `shape` is needed and not given, E413 where it is no image.
    """
    declared = getattr(layer, "shape")  # noqa: B009 - not every layer type has it
    if declared is None:
        if channels is not None and height and width:
            return [channels, height, width]
        raise Reject(
            codes.ParamMissing, param="shape", what=": what it reads is not in the spec",
            hint="give `shape`, or the extents of its tops with --shape NAME=N,3,H,W",
        )  # fmt: skip
    shape = sizes("shape", declared)
    if len(shape) != 3:
        raise Reject(
            codes.BadParam, at="shape", value=shape, reason="must be channels, rows and columns"
        )
    found = [shape[0] if channels is None else channels, height or shape[1], width or shape[2]]
    for size, cut in zip(shape[1:], found[1:], strict=True):
        if isinstance(size, int) and isinstance(cut, int) and size < cut:
            raise Reject(
                codes.BadParam, at="shape", value=shape, reason=f"is smaller than the crop of {cut}"
            )
    return found
