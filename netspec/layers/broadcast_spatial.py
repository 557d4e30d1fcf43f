"""BroadcastSpatial."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, Shape, need_rank, param
from .input import sizes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size
    from ..layer import Agreement


class BroadcastSpatial(Layer):
    """Repeat a vector at every place of a map, as conditional GANs do with a code.

    y[n, c, i] = x[n, c]

    Shape   N x C [x 1 ..], N x K x D1..Dr  ->  N x C x D1..Dr
            N x C [x 1 ..]  ->  N x C x size
    Rejects E408 if there is neither a second bottom nor `size`
            E402 if the first bottom has a spatial extent other than 1
            E404 if a bottom has no axis of channels
            E407 if there is a second bottom and `size` too
    Source  Zhang et al., StackGAN, arXiv:1612.03242, section 3.4
    """

    family = "structure"
    bottoms = (1, 2)
    reads = "any"
    no_gradient = (1,)

    size: Shape = param(default=None, doc="spatial extents of the top, where no bottom gives them")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the vector at every place."""
        for index, blob in enumerate(bottoms):
            need_rank(blob, 2, bottom=index)
        return Blob((*bottoms[0].shape[:2], *self.spatial(*bottoms)), bottoms[0].dtype)

    def spatial(self, *bottoms: Blob) -> list[Size]:
        """Return the spatial extents of the top."""
        if len(bottoms) == 2:
            if self.size is not None:
                raise Reject(codes.ParamConflict, at="size", param="size", other="a second bottom")
            return list(bottoms[1].spatial)
        if self.size is None:
            doc = self.params["size"].doc
            raise Reject(codes.ParamMissing, param="size", what=f" ({doc})")
        return sizes("size", self.size)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that the vector has no spatial extent, and one batch."""
        for axis, size in enumerate(bottoms[0].spatial, 2):
            yield f"axis {axis}", size, 1, 0
        if len(bottoms) == 2:
            yield "axis 0", bottoms[1].shape[0], bottoms[0].shape[0], 1
