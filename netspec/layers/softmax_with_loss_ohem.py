"""SoftmaxWithLossOHEM."""

from __future__ import annotations

from ..blob import Blob
from ..layer import param
from .softmax_with_loss import SoftmaxWithLoss

OHEM_NORMALIZATIONS = ("FULL", "VALID", "BATCH_SIZE", "PRE_FIXED", "NONE")


class SoftmaxWithLossOHEM(SoftmaxWithLoss):
    """Compare the softmax of scores with labels, and tell what each label costs.

    y = SoftmaxWithLoss; the second top is p; the third is -log p[label] of each label, 0 where it
    is ignored. Only the first has a gradient: the others are for BoxAnnotatorOHEM to choose by.
    The normalization PRE_FIXED divides by `pre_fixed_normalizer`, or 1 if that is less.

    Shape   S, labels (as many as S without `axis`)  ->  a scalar[, S[, as the labels]]
    Rejects E406 if there is not one label for each score vector
            E402 if axis 0 differs
            E405 if there is no axis `axis`
    Source  daijifeng001/caffe-rfcn, src/caffe/layers/softmax_loss_ohem_layer.{cpp,cu}; arXiv
            1605.06409. Where labels are ignored its CPU code sums other losses than its GPU code:
            as on the GPU.
    """

    message = "softmax_param"
    tops = (1, 3)
    one_gradient = True

    normalization: str = param(
        default="VALID", message="loss_param", choices=OHEM_NORMALIZATIONS,
        doc="what divides the sum",
    )  # fmt: skip
    pre_fixed_normalizer: float = param(
        default=1.0, message="loss_param", doc="what PRE_FIXED divides by"
    )

    def infer(self, *bottoms: Blob) -> list[Blob]:  # type: ignore[override]
        """Return a scalar, the probabilities, and what each label costs."""
        x, labels = bottoms
        loss = super().infer(*bottoms)
        return [loss, x, Blob(labels.shape, x.dtype)][: self.top_count]
