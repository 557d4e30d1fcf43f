"""RNN."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import product
from ..layer import Filler, Layer, Reject, fixed, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size
    from ..layer import Agreement


class RNN(Layer):
    """Run a recurrent layer with tanh units over a sequence, and read it out by tanh again.

    h[t] = tanh(W_xh x[t] + b_h + W_xh_static s + W_hh (cont[t] h[t-1]))
    y[t] = tanh(W_ho h[t] + b_o)

    The bottoms are x, cont, and where they are wanted s, a vector that counts at every step, and
    h[0]. cont[t, n] is 0 where a new sequence starts in stream n, else 1. Without `expose_hidden`
    the last h of a forward is the first of the next, zero at the start; it is not kept with the
    weights. No gradient goes from the last h to the first, nor into or out of exposed ones.

    Shape   T x N x .., T x N[, N x ..][, 1 x N x D]  ->  T x N x D[, 1 x N x D], D = num_output
    State   h, 1 x N x D, from forward to forward; zero again where N changes
    Rejects E404 if x has fewer than 2 axes, cont has not 2, s has none
            E402 if T or N of the bottoms differ
            E414 if a first state is not 1 x N x D
            E323, E324 if h[0] or its top is missing, or given without `expose_hidden`
    Source  BVLC/caffe, src/caffe/layers/{recurrent,rnn}_layer.cpp
    """

    family = "recurrent"
    message = "recurrent_param"
    bottoms = (2, 4)
    tops = (1, 2)
    reads = ("float", "any", "float")
    in_place = False
    no_gradient = (1,)
    one_gradient = True

    num_output: int = param(minimum=1, doc="units, that is extent of the last axis of the top")
    weight_filler: Filler = param(default=None, doc="how the matrices start")
    bias_filler: Filler = param(default=None, doc="how the offsets start")
    debug_info: bool = param(default=False, doc="ignored")
    expose_hidden: bool = param(
        default=False, doc="take the first states as bottoms and give the last ones as tops"
    )

    hidden = 1  # how many tensors pass from step to step

    @property
    def static(self) -> bool:
        """Return whether there is a bottom that counts at every step."""
        return self.bottom_count == 3 + (self.hidden if self.expose_hidden else 0)

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the outputs of all steps, and the last states where they are exposed."""
        exposed = self.hidden if self.expose_hidden else 0
        least = 2 + exposed
        if self.bottom_count not in (least, least + 1):
            raise Reject(
                codes.WrongBottomCount, type=type(self).__name__, count=self.bottom_count,
                expected=f"{least} or {least + 1} bottoms",
            )  # fmt: skip
        if self.top_count != 1 + exposed:
            raise Reject(
                codes.WrongTopCount, at="top", type=type(self).__name__, count=self.top_count,
                expected=f"{1 + exposed} tops" if exposed else "1 top",
            )  # fmt: skip
        self.ranks(*bottoms)
        x = bottoms[0]
        steps, streams = x.shape[:2]
        last = Blob((1, streams, self.num_output), x.dtype)
        return [Blob((steps, streams, self.num_output), x.dtype), *[last] * exposed]

    def ranks(self, *bottoms: Blob) -> None:
        """Reject bottoms with the wrong number of axes."""
        need_rank(bottoms[0], 2, bottom=0)
        need_rank(bottoms[1], 2, 2, 1)
        if self.static:
            need_rank(bottoms[2], 1, bottom=2)
        for index in range(3 if self.static else 2, len(bottoms)):
            need_rank(bottoms[index], 3, 3, index)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that all have the same steps and streams, and first states the last one's shape."""
        steps, streams = bottoms[0].shape[:2]
        yield "axis 0", bottoms[1].shape[0], steps, 1
        yield "axis 1", bottoms[1].shape[1], streams, 1
        if self.static:
            yield "axis 0", bottoms[2].shape[0], streams, 2
        for index in range(3 if self.static else 2, len(bottoms)):
            for axis, wanted in enumerate((1, streams, self.num_output)):
                yield fixed(bottoms[index], axis, wanted, index)

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the matrices and offsets under the names they have in Caffe's source."""
        units = self.num_output
        yield "weight_xh", (units, product(bottoms[0].shape[2:]))
        yield "bias_h", (units,)
        if self.static:
            yield "weight_xh_static", (units, product(bottoms[2].shape[1:]))
        yield "weight_hh", (units, units)
        yield "weight_ho", (units, units)
        yield "bias_o", (units,)

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the weights start: all matrices alike, all offsets alike."""
        given = super().fillers()
        names = ("xh", "xh_static", "hh", "ho", "xc", "xc_static", "hc")
        start = {f"weight_{name}": given["weight"] for name in names if "weight" in given}
        return start | {f"bias_{name}": given["bias"] for name in "hoc" if "bias" in given}

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count one for each element of each matrix and each step it is used in."""
        steps, streams = bottoms[0].shape[:2]
        count: Size = 0
        for name, shape in self.weights(*bottoms):
            if len(shape) == 2:
                used = streams if name.endswith("_static") else steps * streams
                count = count + used * product(shape)
        return count
