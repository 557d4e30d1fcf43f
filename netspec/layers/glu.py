"""GLU."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, canonical_axis, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size


class GLU(Layer):
    """Gate the first half of the channels by the sigmoid of the second.

    y[c] = x[c] * sigmoid(x[c + C/2])

    Shape   S  ->  S with C/2 along `axis`
    Rejects E405 if there is no such axis
            E413 if its extent is odd
    Source  arXiv 1612.08083
    """

    family = "activation"

    axis: int = param(default=1, doc="the axis that is halved; negative from the end")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return half the channels."""
        x = bottoms[0]
        axis = canonical_axis(self, "axis", x)
        return x.resized(axis, part(self, "axis", x.shape[axis], 2))

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that the extent is even."""
        axis = canonical_axis(self, "axis", bottoms[0])
        size = bottoms[0].shape[axis]
        yield f"axis {axis}", size, size // 2 * 2, 0


def part(layer: Layer, name: str, size: Size, count: int) -> Size:
    """Return one of `count` equal parts of an extent. Rejects E413 where they are not equal."""
    if isinstance(size, int) and size % count:
        reason = f"cannot cut {size} channels into {count} equal parts"
        raise Reject(codes.BadParam, at=name, value=getattr(layer, name), reason=reason)
    return size // count
