"""LSTM."""

from __future__ import annotations

from ..blob import Blob
from ..dim import product
from ..layer import Filler, param
from .rnn import RNN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class LSTM(RNN):
    """Run a layer of long short-term memory cells over a sequence.

    i, f, o, g = W_xc x[t] + b_c + W_xc_static s + W_hc (cont[t] h[t-1])
    c[t] = cont[t] sig(f) c[t-1] + sig(i) tanh(g);  h[t] = sig(o) tanh(c[t]);  y = h

    The rows of the matrices are the gates in Caffe's order i, f, o, g (PyTorch's is i, f, g, o);
    there are no peepholes. The bottoms are x, cont, and where they are wanted s, a vector that
    counts at every step, and h[0], c[0]. cont[t, n] is 0 where a new sequence starts in stream n,
    else 1. Without `expose_hidden` the last h and c of a forward are the first of the next, zero
    at the start; they are not kept with the weights. No gradient goes from the last state to the
    first, nor into or out of exposed ones.

    Shape   T x N x .., T x N[, N x ..][, 1 x N x D twice]  ->  T x N x D[, 1 x N x D twice]
            D = num_output
    State   h and c, 1 x N x D, from forward to forward; zero again where N changes
    Rejects E404 if x has fewer than 2 axes, cont has not 2, s has none
            E402 if T or N of the bottoms differ
            E414 if a first state is not 1 x N x D
            E323, E324 if h[0], c[0] or their tops are missing, or given without `expose_hidden`
    Source  BVLC/caffe, src/caffe/layers/{recurrent,lstm,lstm_unit}_layer.cpp
    """

    message = "recurrent_param"
    bottoms = (2, 5)
    tops = (1, 3)

    num_output: int = param(minimum=1, doc="cells, that is extent of the last axis of the top")
    weight_filler: Filler = param(default=None, doc="how the matrices start")
    bias_filler: Filler = param(default=None, doc="how the offsets start")

    hidden = 2

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the matrices and offsets under the names they have in Caffe's source."""
        gates = 4 * self.num_output
        yield "weight_xc", (gates, product(bottoms[0].shape[2:]))
        yield "bias_c", (gates,)
        if self.static:
            yield "weight_xc_static", (gates, product(bottoms[2].shape[1:]))
        yield "weight_hc", (gates, self.num_output)
