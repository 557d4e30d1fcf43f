"""BidirectionalLSTM."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Filler, Layer, Reject, param
from .gru import (
    check_sequences,
    fixed_states,
    matrix_macs,
    stacked,
    stacked_fillers,
    state_shape,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size
    from ..layer import Agreement


class BidirectionalLSTM(Layer):
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

    family = "recurrent"
    bottoms = (1, 3)
    tops = (1, 3)
    in_place = False

    num_output: int = param(minimum=1, doc="cells of each layer and direction")
    num_layers: int = param(default=1, minimum=1, maximum=1000, doc="layers, one above the other")
    bias_term: bool = param(default=True, doc="learn offsets")
    batch_first: bool = param(default=False, doc="the first axis is the batch, not time")
    dropout: float = param(
        default=0.0, minimum=0, maximum=1, doc="part dropped between layers when training"
    )
    weight_filler: Filler = param(default=None, doc="how the matrices start")
    bias_filler: Filler = param(default=None, doc="how the offsets start")

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the outputs of the last layer, and the last states of all."""
        kind = type(self).__name__
        if self.bottom_count == 2:
            raise Reject(codes.WrongBottomCount, type=kind, expected="1 or 3 bottoms", count=2)
        if self.top_count == 2:
            raise Reject(codes.WrongTopCount, at="top", type=kind, expected="1 or 3 tops", count=2)
        check_sequences(self, *bottoms)
        x = bottoms[0]
        tops = [Blob((*x.shape[:2], 2 * self.num_output), x.dtype)]
        return tops + [Blob(state_shape(self, x, 2), x.dtype)] * (self.top_count - 1)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that the first states have the shape of the last."""
        yield from fixed_states(self, 2, *bottoms)

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the weights of each layer and direction, named and ordered as PyTorch's."""
        yield from stacked(self, 4, bottoms[0].shape[2], 2)

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the weights start: all matrices alike, all offsets alike."""
        return stacked_fillers(self, 2)

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count one for each element of each matrix and each step."""
        return matrix_macs(self.weights(*bottoms), bottoms[0])
