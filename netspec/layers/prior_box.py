"""PriorBox."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Floats, Layer, Reject, given_together, listed, need_ranks, param
from .anchor_generator import need_positive


class PriorBox(Layer):
    """Give the boxes that SSD starts from, at each pixel of a feature map, and their variances.

    For each min_size m: a square of side m; one of side sqrt(m * max_size) if there is a max_size;
    and for each further aspect ratio r a box of m sqrt(r) x m / sqrt(r). Centres lie at
    step * (x + offset), (y + offset). Boxes are divided by the size of the image.

    The step is that of the image to the map unless given; the image is the second bottom unless
    img_size is given. flip adds 1 / r for each r.

    Shape   N x C x H x W, N x C x H' x W'  ->  1 x 2 x 4 H W P
            row 0 holds the boxes x1 y1 x2 y2, in the order y, x, box; row 1 the variances
    Rejects E404 unless both bottoms have 4 axes
            E330 if there are max_size, and not one for each min_size; or 2, 3 or more variances
            E413 if a max_size is not greater than its min_size
            E413 if a size, ratio or variance is not between 1e-6 and 1e6
            E407 if img_size is given with img_h or img_w, or step with step_h or step_w
            E408 if one of img_h and img_w, or of step_h and step_w, is given without the other
    Source  weiliu89/caffe (SSD), src/caffe/layers/prior_box_layer.cpp
    """

    family = "detection"
    bottoms = 2
    in_place = False
    no_gradient = (0, 1)

    min_size: Floats = param(doc="sides of the squares, pixels of the image")
    max_size: Floats = param(default=(), doc="one for each min_size, pixels")
    aspect_ratio: Floats = param(default=(), doc="widths over heights")
    flip: bool = param(default=True, doc="for each aspect ratio r take 1 / r too")
    clip: bool = param(default=False, doc="cut the boxes to the image")
    variance: Floats = param(default=(), doc="one or four; 0.1 if not given")
    img_size: int = param(default=None, minimum=1, doc="side of the image, pixels")
    img_h: int = param(default=None, minimum=1, doc="height of the image, pixels")
    img_w: int = param(default=None, minimum=1, doc="width of the image, pixels")
    step: float = param(default=None, exclusiveMinimum=0, doc="distance of centres, pixels")
    step_h: float = param(default=None, exclusiveMinimum=0, doc="vertical distance, pixels")
    step_w: float = param(default=None, exclusiveMinimum=0, doc="horizontal distance, pixels")
    offset: float = param(default=0.5, doc="of the first centre, in steps")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the boxes and the variances of all pixels."""
        need_ranks(bottoms, 4, 4)
        need_positive(self, "min_size", "max_size", "aspect_ratio", "variance")
        smallest, largest = listed(self.min_size), listed(self.max_size)
        if largest and len(largest) != len(smallest):
            raise Reject(
                codes.WrongCount, at="max_size", key="max_size", expected=len(smallest),
                count=len(largest),
            )  # fmt: skip
        for least, most in zip(smallest, largest, strict=False):
            if most <= least:
                raise Reject(
                    codes.BadParam, at="max_size", value=most,
                    reason=f"must be greater than its min_size {least}",
                )  # fmt: skip
        if len(listed(self.variance)) not in (0, 1, 4):
            raise Reject(
                codes.WrongCount, at="variance", key="variance", expected="1 or 4",
                count=len(listed(self.variance)),
            )  # fmt: skip
        for whole, pair in ("img_size", ("img_h", "img_w")), ("step", ("step_h", "step_w")):
            given = [side for side in pair if side in self.given]
            if given and whole in self.given:
                raise Reject(codes.ParamConflict, at=given[0], param=given[0], other=whole)
            given_together(self, *pair)
        height, width = bottoms[0].spatial
        return Blob((1, 2, height * width * 4 * len(self.boxes())), bottoms[0].dtype)

    def boxes(self) -> list[tuple[float, float]]:
        """Return width and height of each box, in pixels of the image."""
        ratios: list[float] = []
        for ratio in listed(self.aspect_ratio):
            if all(abs(ratio - known) >= 1e-6 for known in [1.0, *ratios]):
                ratios += [ratio, 1 / ratio] if self.flip else [ratio]
        made: list[tuple[float, float]] = []
        largest = listed(self.max_size)
        for index, side in enumerate(listed(self.min_size)):
            made.append((side, side))
            if largest:
                made.append(((side * largest[index]) ** 0.5,) * 2)
            made += [(side * ratio**0.5, side / ratio**0.5) for ratio in ratios]
        return made
