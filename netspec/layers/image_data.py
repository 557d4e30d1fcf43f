"""ImageData."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Shape, param
from .data import _Transformed, image


class ImageData(_Transformed):
    """Stand for images that Caffe reads from files, and their labels; the caller gives them.

    Shape   ->  batch_size x (3 if is_color else 1) x H x W, batch_size; H and W are `crop_size`,
            or else `new_height` and `new_width`, or else those of `shape`, which Caffe lacks
    Rejects E408 if the extents are not known
    Source  BVLC/caffe, src/caffe/layers/image_data_layer.cpp
    """

    family = "data"
    bottoms = 0
    tops = 2
    source = True

    source_: str = param(default="", field="source", doc="list of files and labels; not read")
    batch_size: int = param(default=1, minimum=1, doc="items")
    shape: Shape = param(default=None, doc="extents of an image: channels, rows, columns")
    new_height: int = param(default=0, minimum=0, doc="rows an image is scaled to, pixels")
    new_width: int = param(default=0, minimum=0, doc="columns an image is scaled to, pixels")
    is_color: bool = param(default=True, doc="three channels, not one")
    rand_skip: int = param(default=0, minimum=0, doc="ignored")
    shuffle: bool = param(default=False, doc="ignored")
    root_folder: str = param(default="", doc="ignored")

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the images and the labels."""
        height, width = self.crop_size or self.new_height, self.crop_size or self.new_width
        shape = image(self, 3 if self.is_color else 1, height, width)
        return [Blob((self.batch_size, *shape)), Blob((self.batch_size,))]
