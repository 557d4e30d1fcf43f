"""ClippedLSTM."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import product
from ..layer import Filler, Layer, Reject, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size
    from ..layer import Agreement


class ClippedLSTM(Layer):
    """Run an LSTM over rows in the order of time, with bounded gradients: caffe-lstm's `Lstm`.

    i, f, o, g = W_ih x[t] + b + clip[t] W_hh h[t-1]
    c[t] = clip[t] sig(f) c[t-1] + sig(i) tanh(g);  h[t] = sig(o) tanh(c[t]);  y = h

    The rows are those of all streams at step 0, then at step 1, and so on. clip, the second bottom,
    is 0 where a new sequence starts, else 1; with it the last h and c of a forward are the first
    of the next, zero at the start. Without it every forward starts at 0. No gradient goes from one
    forward to another.

    Gradients of i, f, o, g are cut to `clipping_threshold` on their way back, if that is not 0. As
    in the fork the gradient of W_hh counts h[t-1] where clip cuts it off, too. With more than one
    stream the fork reads other marks, clip[t + n], and counts the first stream only at step 0: not
    here.

    Shape   TN x ..[, TN [x 1 ..]]  ->  TN x num_output;  N = batch_size
    State   h and c, N x num_output, from forward to forward; not kept with the weights
    Rejects E404 if a bottom has not 1 to 4 axes
            E413 if `batch_size` does not divide the rows
            E402 if there is not one mark for each row
    Source  junhyukoh/caffe-lstm, src/caffe/layers/lstm_layer.{cpp,cu}
    """

    family = "recurrent"
    message = "lstm_param"
    bottoms = (1, 2)
    reads = ("float", "any")
    in_place = False
    no_gradient = (1,)

    num_output: int = param(minimum=1, doc="cells, that is extent of the last axis of the top")
    clipping_threshold: float = param(default=0.0, minimum=0, doc="most of a gradient; 0: any")
    weight_filler: Filler = param(default=None, doc="how both matrices start")
    bias_filler: Filler = param(default=None, doc="how the offsets start")
    batch_size: int = param(default=1, minimum=1, maximum=100_000, doc="streams, N")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the states of all rows."""
        for index, blob in enumerate(bottoms):
            need_rank(blob, 1, 4, index)
        rows = bottoms[0].shape[0]
        if isinstance(rows, int) and rows % self.batch_size:
            raise Reject(
                codes.BadParam, at="batch_size", value=self.batch_size,
                reason=f"does not divide the {rows} rows",
            )  # fmt: skip
        return Blob((rows, self.num_output), bottoms[0].dtype)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that the rows divide, and that there is a mark for each."""
        rows, n = bottoms[0].shape[0], self.batch_size
        yield f"axis 0 and its multiple of {n}", rows, rows // n * n, 0
        for clip in bottoms[1:]:
            yield "axis 0", clip.shape[0], rows, 1
            yield "the items", product(clip.shape[1:]), 1, 1

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield both matrices and the offsets."""
        gates = 4 * self.num_output
        yield "weight_ih", (gates, product(bottoms[0].shape[1:]))
        yield "weight_hh", (gates, self.num_output)
        yield "bias", (gates,)

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the weights start, where that is given."""
        named = {
            "weight_ih": "weight_filler", "weight_hh": "weight_filler", "bias": "bias_filler",
        }  # fmt: skip
        return {weight: getattr(self, n) for weight, n in named.items() if n in self.given}

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count one for each element of both matrices and each row."""
        matrices = [product(shape) for name, shape in self.weights(*bottoms) if name != "bias"]
        return (matrices[0] + matrices[1]) * bottoms[0].shape[0]
