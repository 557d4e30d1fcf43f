"""InnerProduct."""

from __future__ import annotations

from ..blob import Blob
from ..dim import product
from ..layer import Filler, Layer, canonical_axis, param
from .convolution import square_filler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class InnerProduct(Layer):
    """Multiply the flattened bottom by a learned matrix, then add a bias: a dense layer.

    y[n, o] = bias[o] + sum over k of w[o, k] * x[n, k], k over all axes from `axis` on

    Shape   S  ->  S[:axis] x num_output
    Rejects E405 if there is no axis `axis`
            E413 if the weight has a bilinear filler
    Source  BVLC/caffe, src/caffe/layers/inner_product_layer.cpp
    """

    family = "dense"

    num_output: int = param(minimum=1, doc="outputs, that is extent of the last axis of the top")
    bias_term: bool = param(default=True, doc="learn one offset per output")
    axis: int = param(default=1, doc="the first axis that is flattened; negative from the end")
    transpose: bool = param(default=False, doc="store the weight as inputs x outputs")
    weight_filler: Filler = param(default=None, doc="how the weight starts")
    bias_filler: Filler = param(default=None, doc="how the offsets start")
    spectral_norm: bool = param(default=False, doc="divide the weight by its spectral norm")
    equalized_lr: bool = param(default=False, doc="scale the weight by He's constant at run time")
    equalized_gain: float = param(default=2**0.5, doc="equalized_lr: factor / sqrt(fan in)")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the kept axes and the outputs."""
        x = bottoms[0]
        square_filler(self, ())
        return Blob((*x.shape[: canonical_axis(self, "axis", x)], self.num_output), x.dtype)

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the matrix and the offsets."""
        x = bottoms[0]
        inputs = product(x.shape[canonical_axis(self, "axis", x) :])
        matrix = (inputs, self.num_output) if self.transpose else (self.num_output, inputs)
        yield "weight", matrix
        if self.bias_term:
            yield "bias", (self.num_output,)

    def output_axis(self) -> int:
        """Return 1 where the weight is stored as inputs x outputs."""
        return 1 if self.transpose else 0

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count one for each element of the matrix and each row."""
        return bottoms[0].size * self.num_output
