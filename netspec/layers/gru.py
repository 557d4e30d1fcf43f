"""GRU."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import product
from ..layer import Filler, Layer, Reject, fixed, need_ranks, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from ..dim import Size
    from ..layer import Agreement


class GRU(Layer):
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

    family = "recurrent"
    bottoms = (1, 2)
    tops = (1, 2)
    in_place = False

    num_output: int = param(minimum=1, doc="units of each layer and direction")
    num_layers: int = param(default=1, minimum=1, maximum=1000, doc="layers, one above the other")
    bias_term: bool = param(default=True, doc="learn offsets")
    bidirectional: bool = param(default=False, doc="also run backwards, and concatenate")
    batch_first: bool = param(default=False, doc="the first axis is the batch, not time")
    dropout: float = param(
        default=0.0, minimum=0, maximum=1, doc="part dropped between layers when training"
    )
    weight_filler: Filler = param(default=None, doc="how the matrices start")
    bias_filler: Filler = param(default=None, doc="how the offsets start")

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the outputs of the last layer, and the last states of all."""
        check_sequences(self, *bottoms)
        x = bottoms[0]
        directions = 2 if self.bidirectional else 1
        tops = [Blob((*x.shape[:2], directions * self.num_output), x.dtype)]
        tops += [Blob(state_shape(self, x, directions), x.dtype)] * (self.top_count - 1)
        return tops

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that the first states have the shape of the last."""
        yield from fixed_states(self, 2 if self.bidirectional else 1, *bottoms)

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the weights of each layer and direction, named and ordered as PyTorch's."""
        yield from stacked(self, 3, bottoms[0].shape[2], 2 if self.bidirectional else 1)

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the weights start: all matrices alike, all offsets alike."""
        return stacked_fillers(self, 2 if self.bidirectional else 1)

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count one for each element of each matrix and each step."""
        return matrix_macs(self.weights(*bottoms), bottoms[0])


def check_sequences(layer: Any, *bottoms: Blob) -> None:
    """Reject bottoms without 3 axes, and a dropout that no layer follows."""
    need_ranks(bottoms, 3, 3, 3)
    if layer.dropout and layer.num_layers == 1:
        raise Reject(
            codes.BadParam, at="dropout", value=layer.dropout,
            reason="acts between layers, and there is one",
        )  # fmt: skip


def state_shape(layer: Any, x: Blob, directions: int) -> tuple[Size, ...]:
    """Return the shape of a state: one for each layer and direction."""
    streams = x.shape[0 if layer.batch_first else 1]
    return (layer.num_layers * directions, streams, layer.num_output)


def fixed_states(layer: Any, directions: int, x: Blob, *states: Blob) -> Iterator[Agreement]:
    """Yield that first states must have the shape of the last."""
    wanted = state_shape(layer, x, directions)
    for index, blob in enumerate(states, 1):
        for axis in range(3):
            yield fixed(blob, axis, wanted[axis], index)


def stacked(
    layer: Any, gates: int, inputs: Size, directions: int
) -> Iterator[tuple[str, tuple[Size, ...]]]:
    """Yield name and shape of the weights of a stack of recurrent layers, as in PyTorch."""
    rows = gates * layer.num_output
    for depth in range(layer.num_layers):
        for suffix in ("", "_reverse")[:directions]:
            yield f"weight_ih_l{depth}{suffix}", (rows, inputs)
            yield f"weight_hh_l{depth}{suffix}", (rows, layer.num_output)
            if layer.bias_term:
                yield f"bias_ih_l{depth}{suffix}", (rows,)
                yield f"bias_hh_l{depth}{suffix}", (rows,)
        inputs = directions * layer.num_output


def stacked_fillers(layer: Any, directions: int) -> dict[str, Filler | None]:
    """Return the fillers of a stack of recurrent layers, by weight name."""
    return {
        name: getattr(layer, f"{kind}_filler")
        for name, _ in stacked(layer, 1, 1, directions)
        if f"{(kind := name.partition('_')[0])}_filler" in layer.given
    }


def matrix_macs(weights: Iterable[tuple[str, Sequence[Size]]], x: Blob) -> Size:
    """Count one for each element of each matrix and each step of each stream."""
    count: Size = 0
    for _, shape in weights:
        if len(shape) == 2:
            count = count + product(shape)
    return count * x.shape[0] * x.shape[1]
