"""Eltwise."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Floats, Layer, Reject, param
from .convolution import same_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size


class Eltwise(Layer):
    """Combine bottoms of one shape, element by element.

    SUM: y = sum over i of coeff[i] * x[i];  PROD: y = product of x[i];  MAX: y = largest x[i]

    Shape   S, S, ..  ->  S
    Rejects E402 if the shapes differ: Caffe's Eltwise does not broadcast
            E330 if `coeff` is given, and not once for each bottom
    Source  BVLC/caffe, src/caffe/layers/eltwise_layer.cpp
    """

    family = "merge"
    bottoms = (2, None)

    operation: str = param(default="SUM", choices=("PROD", "SUM", "MAX"), doc="how to combine")
    coeff: Floats = param(default=None, doc="factor of each bottom; SUM only")
    stable_prod_grad: bool = param(default=True, doc="PROD: the gradient is exact at zeros; ignored")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the blob all bottoms agree on."""
        coefficients = self.coefficients
        if coefficients and len(coefficients) != len(bottoms):
            raise Reject(
                codes.WrongCount, at="coeff", key="coeff", expected=len(bottoms),
                count=len(coefficients),
            )  # fmt: skip
        if coefficients and self.operation != "SUM":
            raise Reject(
                codes.BadParam, at="coeff", value=self.coeff, reason="is for operation SUM only"
            )
        return bottoms[0]

    @property
    def coefficients(self) -> list[float]:
        """Return the factors; empty where none are given."""
        given = self.coeff
        if given is None:
            return []
        return [given] if isinstance(given, int | float) else list(given)

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Every bottom has the shape of the first."""
        yield from same_shape(*bottoms)
