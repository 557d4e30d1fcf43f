"""GRU."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import product
from ..layer import Filler, Layer, Reject, fixed, need_ranks, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size
    from ..layer import Agreement


class _Stacked(Layer):
    """A stack of recurrent layers as PyTorch has it: params, weights and first states."""

    family = "recurrent"
    in_place = False

    num_output: int = param(minimum=1, doc="units of each layer and direction")
    num_layers: int = param(default=1, minimum=1, maximum=1000, doc="layers, one above the other")
    bias_term: bool = param(default=True, doc="learn offsets")
    batch_first: bool = param(default=False, doc="the first axis is the batch, not time")
    dropout: float = param(
        default=0.0, minimum=0, maximum=1, doc="part dropped between layers when training"
    )
    weight_filler: Filler = param(default=None, doc="how the matrices start")
    bias_filler: Filler = param(default=None, doc="how the offsets start")

    gates = 1  # blocks of rows in a matrix

    @property
    def directions(self) -> int:
        """Return how many ways the sequence is run."""
        return 2

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the outputs of the last layer, and the last states of all."""
        need_ranks(bottoms, 3, 3, 3)
        if self.dropout and self.num_layers == 1:
            raise Reject(
                codes.BadParam, at="dropout", value=self.dropout,
                reason="acts between layers, and there is one",
            )  # fmt: skip
        x = bottoms[0]
        top = Blob((*x.shape[:2], self.directions * self.num_output), x.dtype)
        return [top, *[Blob(self.state_shape(x), x.dtype)] * (self.top_count - 1)]

    def state_shape(self, x: Blob) -> tuple[Size, ...]:
        """Return the shape of a state: one for each layer and direction."""
        streams = x.shape[0 if self.batch_first else 1]
        return (self.num_layers * self.directions, streams, self.num_output)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that the first states have the shape of the last."""
        for index, blob in enumerate(bottoms[1:], 1):
            for axis, wanted in enumerate(self.state_shape(bottoms[0])):
                yield fixed(blob, axis, wanted, index)

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the weights of each layer and direction, named and ordered as PyTorch's."""
        yield from self.stacked(bottoms[0].shape[2])

    def stacked(self, inputs: Size) -> Iterator[tuple[str, tuple[Size, ...]]]:
        """Yield name and shape of the weights, given the features of the input."""
        rows = self.gates * self.num_output
        for depth in range(self.num_layers):
            for suffix in ("", "_reverse")[: self.directions]:
                yield f"weight_ih_l{depth}{suffix}", (rows, inputs)
                yield f"weight_hh_l{depth}{suffix}", (rows, self.num_output)
                if self.bias_term:
                    yield f"bias_ih_l{depth}{suffix}", (rows,)
                    yield f"bias_hh_l{depth}{suffix}", (rows,)
            inputs = self.directions * self.num_output

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the weights start: all matrices alike, all offsets alike."""
        return {
            name: getattr(self, f"{kind}_filler")
            for name, _ in self.stacked(1)
            if f"{(kind := name.partition('_')[0])}_filler" in self.given
        }

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count one for each element of each matrix and each step of each stream."""
        x = bottoms[0]
        count: Size = 0
        for _, shape in self.weights(*bottoms):
            if len(shape) == 2:
                count = count + product(shape)
        return count * x.shape[0] * x.shape[1]


class GRU(_Stacked):
    """Run gated recurrent units over a sequence, in one direction or both.

    r, z = sig(W_ir x[t] + b_ir + W_hr h + b_hr), sig(W_iz x[t] + b_iz + W_hz h + b_hz)
    n = tanh(W_in x[t] + b_in + r (W_hn h + b_hn));  h[t] = (1 - z) n + z h,  h = h[t-1]

    Rows of the weights are r, z, n. The second bottom, if there is one, is h before the first step
    (else zero), the second top h after the last; both hold every layer and direction.

    Shape   T x N x I[, LR x N x D]  ->  T x N x RD[, LR x N x D]
            D = num_output, L = num_layers, R = 2 if bidirectional, else 1;  batch_first: N x T
    Rejects E404 unless all bottoms have 3 axes
            E414 if the second bottom is not LR x N x D
            E413 if there is a `dropout`, and no layer after it
    Source  pytorch/pytorch, torch/nn/modules/rnn.py, GRU
    """

    bottoms = (1, 2)
    tops = (1, 2)

    bidirectional: bool = param(default=False, doc="also run backwards, and concatenate")

    gates = 3

    @property
    def directions(self) -> int:
        """Return how many ways the sequence is run."""
        return 2 if self.bidirectional else 1
