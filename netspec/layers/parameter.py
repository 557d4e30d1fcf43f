"""Parameter."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, Shape, param
from .input import sizes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class Parameter(Layer):
    """Give a learned tensor; it starts at zero.

    Shape   ->  shape
    Source  BVLC/caffe, include/caffe/layers/parameter_layer.hpp
    """

    family = "data"
    bottoms = 0

    shape: Shape = param(default=None, doc="extents of the tensor; unset: a scalar")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the tensor."""
        return Blob(self.extents())

    def extents(self) -> list[Size]:
        """Return the extents of the tensor."""
        return sizes("shape", self.shape) if self.shape is not None else []

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the tensor."""
        yield "weight", self.extents()
