"""Eltwise."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Floats, Layer, Reject, listed, need_rank, param, same_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size
    from ..layer import Agreement


class Eltwise(Layer):
    """Combine bottoms of one shape, element by element.

    SUM: y = sum over i of coeff[i] * x[i];  PROD: y = product of x[i];  MAX: y = largest x[i]

    Of equal elements MAX gives the gradient to the second of the first two bottoms, and of later
    ones to the earlier. `broadcast`, which Caffe lacks, repeats axes of extent 1, as where a gate
    of N x C x 1 x 1 scales a blob.

    Shape   S, S, ..  ->  S
    Rejects E402 if the shapes differ: Caffe's Eltwise does not broadcast
            E330 if `coeff` is given, and not once for each bottom
            E404 if the number of axes differs
            E413 if `coeff` is given with PROD; MAX passes over it, as in Caffe
    Source  BVLC/caffe, src/caffe/layers/eltwise_layer.cpp
    """

    family = "merge"
    bottoms = (2, None)

    operation: str = param(default="SUM", choices=("PROD", "SUM", "MAX"), doc="how to combine")
    coeff: Floats = param(default=None, doc="factor of each bottom in a SUM")
    stable_prod_grad: bool = param(
        default=True, doc="false: PROD's gradient is y / x, which fails at zeros"
    )
    broadcast: bool = param(default=False, doc="repeat axes of extent 1; not Caffe's")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the blob all bottoms agree on."""
        coefficients = self.coefficients
        if coefficients and len(coefficients) != len(bottoms):
            raise Reject(
                codes.WrongCount, at="coeff", key="coeff", expected=f"{len(bottoms)}",
                count=len(coefficients),
            )  # fmt: skip
        if coefficients and self.operation == "PROD":
            raise Reject(
                codes.BadParam,
                at="coeff",
                value=self.coeff,
                reason="is for operation SUM, not for PROD",
            )
        first = bottoms[0]
        for index, other in enumerate(bottoms[1:], 1):
            need_rank(other, first.rank, first.rank, index)
        if not self.broadcast:
            return first
        return Blob((self.extent(axis, *bottoms) for axis in range(first.rank)), first.dtype)

    def extent(self, axis: int, *bottoms: Blob) -> Size:
        """Return the extent of an axis that ones are repeated to: the first that is not 1."""
        extents = [blob.shape[axis] for blob in bottoms]
        return next((size for size in extents if not _one(size)), 1)

    @property
    def coefficients(self) -> list[float]:
        """Return the factors; empty where none are given."""
        return listed(self.coeff)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that every bottom has the shape of the first, ones apart where they repeat."""
        if not self.broadcast:
            yield from same_shape(*bottoms)
            return
        for axis in range(bottoms[0].rank):
            wanted = self.extent(axis, *bottoms)
            for index, blob in enumerate(bottoms):
                if not _one(blob.shape[axis]):
                    yield f"axis {axis}", blob.shape[axis], wanted, index


def _one(size: Size) -> bool:
    return type(size) is int and size == 1
