"""AnchorGenerator."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Floats, Layer, Reject, listed, need_ranks, param


class AnchorGenerator(Layer):
    """Give the boxes that a region proposal network starts from, at each pixel of a feature map.

    One anchor for each ratio and scale, ratios first: a square of base_size pixels is stretched to
    the ratio of height to width, its sides rounded, and multiplied by the scale. The anchors of
    pixel (y, x) are moved by feat_stride * (x, y). They include their last pixel.

    Shape   N x C x H x W  ->  H W A x 4 as x1 y1 x2 y2, in the order y, x, anchor
            A = ratios * scales
    Rejects E404 unless there are 4 axes
            E413 if a ratio or scale is not between 1e-6 and 1e6
    Source  rbgirshick/py-faster-rcnn, lib/rpn/generate_anchors.py
    """

    family = "detection"
    in_place = False
    no_gradient = (0,)

    feat_stride: int = param(default=16, minimum=1, doc="pixels of the image for each of the map")
    base_size: int = param(default=16, minimum=1, doc="side of the square, pixels")
    ratio: Floats = param(default=(0.5, 1, 2), doc="heights over widths")
    scale: Floats = param(default=(8, 16, 32), doc="factors of the sides")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return one row for each pixel and anchor."""
        need_ranks(bottoms, 4)
        need_positive(self, "ratio", "scale")
        height, width = bottoms[0].spatial
        return Blob((height * width * len(self.anchors()), 4), bottoms[0].dtype)

    def anchors(self) -> list[tuple[float, ...]]:
        """Return the anchors of the pixel at 0, 0."""
        return anchors(self.base_size, self.ratio, self.scale)


def anchors(base_size: int, ratio: Floats, scale: Floats) -> list[tuple[float, ...]]:
    """Return x1, y1, x2, y2 of each anchor, ratios first.

    Python rounds halves to even numbers, as NumPy does in the original.
    """
    centre = (base_size - 1) / 2
    made: list[tuple[float, ...]] = []
    for wanted in listed(ratio):
        width = round((base_size * base_size / wanted) ** 0.5)
        height = round(width * wanted)
        for factor in listed(scale):
            x, y = (width * factor - 1) / 2, (height * factor - 1) / 2
            made.append((centre - x, centre - y, centre + x, centre + y))
    return made


def need_positive(layer: Layer, *names: str) -> None:
    """Reject values of repeated fields that are no sizes or factors."""
    for name in names:
        for value in listed(getattr(layer, name)):
            if not 1e-6 <= value <= 1e6:
                reason = "must be between 1e-6 and 1e6"
                raise Reject(codes.BadParam, at=name, value=value, reason=reason)
