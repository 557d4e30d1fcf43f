"""SoftmaxWithLoss."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, canonical_axis, param
from .accuracy import one_label_each
from .euclidean_loss import batched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement

NORMALIZATIONS = ("FULL", "VALID", "BATCH_SIZE", "NONE")


class SoftmaxWithLoss(Layer):
    """Compare the softmax of scores with labels: the multinomial logistic loss.

    y = -(sum over n, i of log p[n, label[n, i], i]) / norm, p the softmax over `axis`

    A probability counts as at least 1.17549e-38, so no label costs more than 87.3365. Labels
    equal to `ignore_label` cost nothing. norm is, for `normalization`,
    VALID (the default): the labels that are not ignored; FULL: all labels;
    BATCH_SIZE: the product of the axes before `axis`; NONE: 1; and never less than 1.
    The older `normalize` (true: VALID, false: BATCH_SIZE) counts where `normalization` is unset.

    Shape   S, labels (as many as S without `axis`)  ->  a scalar
    Rejects E406 if there is not one label for each score vector
            E402 if axis 0 differs
            E324 if it has a second top: Caffe says it may, and then aborts on every such net
            E405 if there is no axis `axis`
    Source  BVLC/caffe, src/caffe/layers/softmax_loss_layer.cpp
    """

    family = "loss"
    message = "softmax_param"
    bottoms = 2
    reads = ("float", "any")
    loss = True
    no_gradient = (1,)

    axis: int = param(default=1, doc="the axis of the classes; negative from the end")
    engine: str = param(default="DEFAULT", choices=("DEFAULT", "CAFFE", "CUDNN"), doc="ignored")
    ignore_label: int = param(default=None, message="loss_param", doc="a label that costs nothing")
    normalization: str = param(
        default="VALID", message="loss_param", choices=NORMALIZATIONS, doc="what divides the sum"
    )
    normalize: bool = param(
        default=None, message="loss_param", doc="old form: true is VALID, false is BATCH_SIZE"
    )

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a scalar."""
        canonical_axis(self, "axis", bottoms[0])
        return batched(*bottoms)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that there is one label for each score vector."""
        x, labels = bottoms
        yield from one_label_each(x, labels, canonical_axis(self, "axis", x))
        yield "axis 0", labels.shape[0], x.shape[0], 1

    @property
    def norm(self) -> str:
        """Return what divides the sum, the older field taken into account."""
        return norm(self, "VALID")


def norm(layer: Layer, default: str) -> str:
    """Return a loss's normalization: the older `normalize` counts where the newer is not given."""
    given: bool | None = getattr(layer, "normalize")  # noqa: B009 - not every layer type has it
    if "normalization" in layer.given:
        chosen: str = getattr(layer, "normalization")  # noqa: B009
        return chosen
    return default if given is None else "VALID" if given else "BATCH_SIZE"
