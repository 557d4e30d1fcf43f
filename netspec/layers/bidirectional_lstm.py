"""BidirectionalLSTM."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Reject, param
from .gru import _Stacked


class BidirectionalLSTM(_Stacked):
    """Run long short-term memory cells over a sequence forwards and backwards, and concatenate.

    i, f, g, o = W_ih x[t] + b_ih + W_hh h[t-1] + b_hh
    c[t] = sig(f) c[t-1] + sig(i) tanh(g);  h[t] = sig(o) tanh(c[t]);  y = h of both directions

    Rows of the weights are i, f, g, o: PyTorch's order, not that of Caffe's LSTM. There are no
    sequence marks. The second and third bottom are h and c before the first step (else zero), the
    second and third top those after the last; they hold every layer and direction.

    Shape   T x N x I[, 2L x N x D twice]  ->  T x N x 2D[, 2L x N x D twice]
            D = num_output, L = num_layers;  batch_first: N x T
    Rejects E404 unless all bottoms have 3 axes
            E414 if h and c are not 2L x N x D
            E323, E324 if there is an h without a c
            E413 if there is a `dropout`, and no layer after it
    Source  pytorch/pytorch, torch/nn/modules/rnn.py, LSTM
    """

    bottoms = (1, 3)
    tops = (1, 3)

    num_output: int = param(minimum=1, doc="cells of each layer and direction")

    gates = 4

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the outputs of the last layer, and the last states of all."""
        kind = type(self).__name__
        if self.bottom_count == 2:
            raise Reject(codes.WrongBottomCount, type=kind, expected="1 or 3 bottoms", count=2)
        if self.top_count == 2:
            raise Reject(codes.WrongTopCount, at="top", type=kind, expected="1 or 3 tops", count=2)
        return super().infer(*bottoms)
