"""Pad."""

from __future__ import annotations

from .. import codes
from ..blob import Blob, Window
from ..dim import minimum
from ..layer import Layer, PerAxis, Reject, need_rank, param
from .convolution import padding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size


class Pad(Layer):
    """Put a border around the spatial axes.

    CONSTANT: `value`. REFLECT: mirrored, the edge once: c b | a b c | b a. REPLICATE: the edge
    again: a a | a b c | c c. CIRCULAR: the other end: b c | a b c | a b

    Shape   N x C x D1..Dr  ->  N x C x E1..Er,  E = pad + D + pad
    Rejects E413 if REFLECT is given a pad that is not below D, or CIRCULAR one above it
            E404 if there are not 3 to 5 axes
            E407 if two forms of the pad are given
    Source  torch.nn.functional.pad
    """

    family = "shape"

    mode: str = param(
        default="CONSTANT", choices=("CONSTANT", "REFLECT", "REPLICATE", "CIRCULAR"),
        doc="what the border holds",
    )  # fmt: skip
    value: float = param(default=0.0, doc="what a CONSTANT border holds")
    pad: PerAxis = param(default=None, minimum=0, doc="border on each side, pixels; 0")
    pad_h: int = param(default=None, minimum=0, doc="border above and below; 2-D only")
    pad_w: int = param(default=None, minimum=0, doc="border left and right; 2-D only")
    pad_begin: PerAxis = param(default=None, minimum=0, doc="border before the first element; 0")
    pad_end: PerAxis = param(default=None, minimum=0, doc="border after the last element; 0")
    pad_l: int = param(default=None, minimum=0, doc="border on the left; 2-D only")
    pad_r: int = param(default=None, minimum=0, doc="border on the right; 2-D only")
    pad_t: int = param(default=None, minimum=0, doc="border above; 2-D only")
    pad_b: int = param(default=None, minimum=0, doc="border below; 2-D only")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the larger blob."""
        x = bottoms[0]
        need_rank(x, 3, 5)
        if "value" in self.given and self.mode != "CONSTANT":
            raise Reject(
                codes.BadParam, at="value", value=self.value, reason="is for mode CONSTANT only"
            )
        before, after = self.border(x)
        for size, *pads in zip(x.spatial, before, after, strict=True):
            if self.edge is not None and isinstance(size, int) and max(pads) + self.edge > size:
                raise Reject(
                    codes.BadParam, at="mode", value=self.mode,
                    reason=f"makes a border of at most {size - self.edge} here, not {max(pads)}",
                )  # fmt: skip
        return x.like(
            spatial=[b + size + a for b, size, a in zip(before, x.spatial, after, strict=True)]
        )

    def window(self, *bottoms: Blob) -> Window:
        """Return the window of one element that slides over the border too."""
        before, after = self.border(bottoms[0])
        ones = (1,) * len(before)
        return Window(ones, ones, before, ones, after)

    def border(self, x: Blob) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the border before and after each spatial axis."""
        return padding(self, len(x.spatial))

    @property
    def edge(self) -> int | None:
        """Return how many elements a border must leave out; None where it copies none."""
        return {"REFLECT": 1, "CIRCULAR": 0}.get(self.mode)

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that what is copied into the border exists."""
        x, edge = bottoms[0], self.edge
        if edge is None:
            return
        for axis, pads in enumerate(zip(*self.border(x), strict=True)):
            least = max(pads) + edge
            text = f"axis {axis + 2} and the {least} its border reads"
            yield text, minimum(x.spatial[axis], least), least, 0
