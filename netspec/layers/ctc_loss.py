"""CTCLoss."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import minimum
from ..layer import Layer, Reject, need_ranks, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class CTCLoss(Layer):
    """Compare scores over time with label sequences, whatever their alignment.

    y = -(sum over n of log p(labels[n] | x[:, n])) / N, p the softmax over C

    The third bottom gives the steps of each item that count, all of them without it. The fourth
    gives the lengths of the label sequences; without it a sequence ends at its first label that
    is negative or `blank`.

    Shape   T x N x C, N x L [, N, N]  ->  a scalar
    Rejects E402 if the bottoms differ in N
            E404 if a bottom has more or fewer axes
            E413 if `blank` is not a class
    Source  Graves et al., ICML 2006; torch.nn.CTCLoss, reduction sum
    """

    family = "loss"
    bottoms = (2, 4)
    reads = ("float", "any")
    loss = True
    no_gradient = (1, 2, 3)

    blank: int = param(default=0, minimum=0, doc="the class that stands for no label")
    zero_infinity: bool = param(default=False, doc="a sequence that cannot fit costs nothing")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a scalar."""
        need_ranks(bottoms, 3, 2, 1, 1)
        classes = bottoms[0].shape[2]
        if isinstance(classes, int) and self.blank >= classes:
            raise Reject(
                codes.BadParam, at="blank", value=self.blank, reason=f"is none of {classes} classes"
            )
        return Blob((), bottoms[0].dtype)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that all are of one batch, and that `blank` is a class."""
        least = self.blank + 1
        yield "the classes", minimum(bottoms[0].shape[2], least), least, 0
        for index, blob in enumerate(bottoms[1:], 1):
            yield "the batch", blob.shape[0], bottoms[0].shape[1], index
