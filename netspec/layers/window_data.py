"""WindowData."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Reject, param
from .data import _Transformed


class WindowData(_Transformed):
    """Stand for windows of images, as R-CNN trains on, and their labels; the caller gives them.

    Shape   ->  batch_size x channels x crop_size x crop_size, batch_size
    Rejects E408 if there is no `crop_size`
    Source  BVLC/caffe, src/caffe/layers/window_data_layer.cpp; it takes the channels from its file
    """

    family = "data"
    bottoms = 0
    tops = 2
    source = True

    source_: str = param(default="", field="source", doc="list of windows; not read")
    batch_size: int = param(minimum=1, doc="items")
    channels: int = param(default=3, minimum=1, doc="channels of an image; not Caffe's")
    fg_threshold: float = param(default=0.5, doc="least overlap of foreground; ignored")
    bg_threshold: float = param(default=0.5, doc="overlap background stays below; ignored")
    fg_fraction: float = param(default=0.25, doc="share of foreground windows; ignored")
    context_pad: int = param(default=0, minimum=0, doc="pixels around a window; ignored")
    crop_mode: str = param(default="warp", doc="warp or square; ignored")
    cache_images: bool = param(default=False, doc="ignored")
    root_folder: str = param(default="", doc="ignored")
    crop_size: int = param(
        default=0, minimum=0, message="transform_param", doc="side of a window, pixels"
    )

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the windows and the labels."""
        side = self.crop_size
        if not side:
            doc = self.params["crop_size"].doc
            raise Reject(codes.ParamMissing, param="crop_size", what=f" ({doc})")
        return [Blob((self.batch_size, self.channels, side, side)), Blob((self.batch_size,))]
