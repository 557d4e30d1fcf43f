"""MatMul."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size
    from ..layer import Agreement


class MatMul(Layer):
    """Multiply the matrices in the last two axes of two bottoms.

    y[.., i, j] = scale * sum over k of a[.., i, k] * b[.., k, j]

    Shape   B.. x I x K, B.. x K x J  ->  B.. x I x J
    Rejects E402 if K, or an axis before the matrices, differs
            E404 if a bottom has less than two axes, or they have not as many
    Source  torch.matmul, without broadcasting
    """

    family = "attention"
    bottoms = 2

    transpose_a: bool = param(default=False, doc="the first bottom holds K x I")
    transpose_b: bool = param(default=False, doc="the second bottom holds J x K")
    scale: float = param(default=1.0, doc="factor of the product")

    def matrices(self, *bottoms: Blob) -> tuple[list[Size], list[Size]]:
        """Return I, K and K, J."""
        a, b = (list(blob.shape[-2:]) for blob in bottoms)
        return a[::-1] if self.transpose_a else a, b[::-1] if self.transpose_b else b

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the product."""
        a, b = bottoms
        need_rank(a, 2, bottom=0)
        need_rank(b, a.rank, a.rank, 1)
        (rows, _), (_, columns) = self.matrices(*bottoms)
        return Blob((*a.shape[:-2], rows, columns), a.dtype)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield the axes before the matrices, and the one that is summed."""
        a, b = bottoms
        for axis, (size, wanted) in enumerate(zip(b.shape[:-2], a.shape[:-2], strict=True)):
            yield f"axis {axis}", size, wanted, 1
        (_, inner), (other, _) = self.matrices(*bottoms)
        yield "the axis that is summed", other, inner, 1

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count one for each term of each element."""
        return tops[0].size * self.matrices(*bottoms)[0][1]
