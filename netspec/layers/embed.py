"""Embed."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Filler, Layer, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class Embed(Layer):
    """Look up a learned vector for each index.

    y[i, :] = w[x[i], :] + bias

    Shape   S  ->  S x num_output
    Rejects E334 if a gradient of the indices is asked for
    Source  BVLC/caffe, src/caffe/layers/embed_layer.cpp
    """

    family = "dense"
    reads = "any"
    no_gradient = (0,)

    num_output: int = param(minimum=1, doc="length of a vector")
    input_dim: int = param(minimum=1, doc="how many vectors: indices are 0 to input_dim - 1")
    bias_term: bool = param(default=True, doc="learn one offset for all vectors")
    weight_filler: Filler = param(default=None, doc="how the vectors start")
    bias_filler: Filler = param(default=None, doc="how the offset starts")
    spectral_norm: bool = param(default=False, doc="divide the weight by its spectral norm")
    equalized_lr: bool = param(default=False, doc="scale the weight by He's constant at run time")
    equalized_gain: float = param(default=2**0.5, doc="equalized_lr: factor / sqrt(fan in)")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a vector for each index."""
        return Blob((*bottoms[0].shape, self.num_output))

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the vectors and the offset."""
        yield "weight", (self.input_dim, self.num_output)
        if self.bias_term:
            yield "bias", (self.num_output,)

    def output_axis(self) -> int:
        """Return 1: the weight is stored as inputs x outputs."""
        return 1
