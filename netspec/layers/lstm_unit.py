"""LSTMUnit."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, fixed, need_ranks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class LSTMUnit(Layer):
    """Make one step of long short-term memory cells, given their gates.

    c = cont sig(f) c_before + sig(i) tanh(g);  h = sig(o) tanh(c);  i, f, o, g = second bottom

    For a cont between 0 and 1 Caffe's gradient of f is not the derivative; here it is.

    Shape   1 x N x D, 1 x N x 4D, 1 x N  ->  c, h: 1 x N x D each
    Rejects E404 unless the bottoms have 3, 3 and 2 axes
            E402 if N of the bottoms differs
            E414 if there are not four gates for each cell, or not one step
    Source  BVLC/caffe, src/caffe/layers/lstm_unit_layer.cpp
    """

    family = "recurrent"
    bottoms = 3
    tops = 2
    reads = ("float", "float", "any")
    in_place = False
    no_gradient = (2,)

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the cells and the hidden units."""
        need_ranks(bottoms, 3, 3, 2)
        return [bottoms[0], bottoms[0]]

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that all are one step of the same streams, with four gates for each cell."""
        cells, gates, cont = bottoms
        for index, blob in enumerate(bottoms):
            yield fixed(blob, 0, 1, index)
        yield "axis 1", gates.shape[1], cells.shape[1], 1
        yield fixed(gates, 2, 4 * cells.shape[2], 1)
        yield "axis 1", cont.shape[1], cells.shape[1], 2
