"""Accuracy."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import minimum, product
from ..layer import Layer, Reject, canonical_axis, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class Accuracy(Layer):
    """Count how often the label is among the `top_k` best scores.

    y = (labels with fewer than `top_k` other classes that score as high or higher) / labels

    A tie counts against the label. Labels equal to `ignore_label` do not count. A second top
    gives the accuracy of each class; 0 for a class without a label.

    Shape   S, labels (as many as S without `axis`)  ->  a scalar [, S[axis]]
    Rejects E406 if there is not one label for each score vector
            E413 if there are fewer classes than `top_k`
            E334 if a gradient is asked for
            E405 if there is no axis `axis`
    Source  BVLC/caffe, src/caffe/layers/accuracy_layer.cpp
    """

    family = "loss"
    bottoms = 2
    tops = (1, 2)
    reads = ("float", "any")
    no_gradient = (0, 1)

    top_k: int = param(default=1, minimum=1, doc="how many best scores count as a hit")
    axis: int = param(default=1, doc="the axis of the classes; negative from the end")
    ignore_label: int = param(default=None, doc="a label that does not count")

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return a scalar, and one value for each class."""
        x = bottoms[0]
        classes = x.shape[canonical_axis(self, "axis", x)]
        return [Blob((), x.dtype), Blob((classes,), x.dtype)][: self.top_count]

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that there is one label for each score vector, and enough classes."""
        x = bottoms[0]
        axis = canonical_axis(self, "axis", x)
        yield from one_label_each(x, bottoms[1], axis)
        classes = x.shape[axis]
        refusal = Reject(
            codes.BadParam, at="top_k", value=self.top_k, reason=f"is more than {classes} classes"
        )
        yield "the classes", minimum(classes, self.top_k), self.top_k, 0, refusal


def one_label_each(x: Blob, labels: Blob, axis: int) -> Iterator[Agreement]:
    """Yield that there are as many labels as score vectors along an axis."""
    left = list(labels.shape)
    wanted = []
    for size in (*x.shape[:axis], *x.shape[axis + 1 :]):
        if size in left:
            left.remove(size)  # so that a condition names only what may differ
        else:
            wanted.append(size)
    vectors = product((*x.shape[:axis], *x.shape[axis + 1 :]))
    refusal = Reject(
        codes.CountMismatch, wanted=f"one label for each of {vectors} score vectors",
        shape=str(labels) or "a scalar", reason=f"that is {labels.size}", bottom=1,
    )  # fmt: skip
    yield "the labels", product(left), product(wanted), 1, refusal
