"""MemoryData."""

from __future__ import annotations

from ..blob import Blob
from ..layer import param
from .data import _Transformed


class MemoryData(_Transformed):
    """Take images and labels from the caller.

    Shape   ->  batch_size x channels x height x width, batch_size
    Source  BVLC/caffe, src/caffe/layers/memory_data_layer.cpp
    """

    family = "data"
    bottoms = 0
    tops = 2
    source = True

    batch_size: int = param(minimum=1, doc="items")
    channels: int = param(minimum=1, doc="channels of an image")
    height: int = param(minimum=1, doc="rows of an image, pixels")
    width: int = param(minimum=1, doc="columns of an image, pixels")

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the images and the labels."""
        shape = (self.batch_size, self.channels, self.height, self.width)
        return [Blob(shape), Blob((self.batch_size,))]
