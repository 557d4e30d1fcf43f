"""MemoryData."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Floats, Layer, param


class MemoryData(Layer):
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

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the images and the labels."""
        shape = (self.batch_size, self.channels, self.height, self.width)
        return [Blob(shape), Blob((self.batch_size,))]
