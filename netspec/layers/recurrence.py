"""Recurrence."""

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

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


class Recurrence(Layer):
    """Run the recurrent half of cells whose inputs went through a layer of their own.

    RNN     h' = x + act(W h + b), and + h with `shortcut`
    GRU     z, r = sig(x_z + W_z h + b_z), sig(x_r + W_r h + b_r)
            h' = z h + (1 - z) act(x_h + W_h (r h) + b_h)
    LSTM    f, i, o = sig(x_f + W_f h + b_f), ..;  g = act(x_g + W_g h + b_g)
            c' = f c + i g;  h' = o tanh(c')

    The rows of the bottom are those of all streams at step 0, then at step 1, and so on. Its
    channels, and the rows of the weights, are the gates' one after another: z, r, h; f, i, g, o.
    With `kernel_size`, W h is a convolution that keeps the extents. With `batch_normalize`, W h
    is normalised before its offset, at each step by itself.

    In train every forward starts at h = c = 0; in test the last h and c of a forward are the
    first of the next. With `expose_hidden` the first ones are bottoms, the last ones tops.

    Shape   TN x GD[ x H x W][, N x D[ x H x W] ..]  ->  TN x D[ x H x W][, N x D[ x H x W] ..]
            T = time_steps, G = gates: 1 of an RNN, 3 of a GRU, 4 of an LSTM
    State   running_mean[GD], running_var[GD] with `batch_normalize`; h and c are not kept
    Rejects E404 unless all bottoms have 2 axes, or 4 with `kernel_size`
            E413 if G does not divide the channels, T the rows, or `kernel_size` is even
            E414 if a first state has not the shape of the last
            E323, E324 if first states or their tops are missing, or given without `expose_hidden`
    Source  AlexeyAB/darknet, src/{rnn,crnn,gru,lstm}_layer.c
    """

    family = "recurrent"
    bottoms = (1, 3)
    tops = (1, 3)
    in_place = False

    cell: str = param(default="RNN", choices=tuple(GATES), doc="the kind of cell")
    time_steps: int = param(default=1, minimum=1, maximum=10_000, doc="steps in the rows")
    kernel_size: int = param(default=None, minimum=1, doc="filter extent, pixels; none: dense")
    activation: str = param(
        default="TANH", choices=("TANH", "SIGMOID", "RELU", "LINEAR"), doc="act of the formula"
    )
    negative_slope: float = param(default=0.0, doc="slope of RELU below 0")
    shortcut: bool = param(default=False, doc="RNN: add the last state to the next")
    batch_normalize: bool = param(default=False, doc="normalise W h, with a factor to learn")
    moving_average_fraction: float = param(
        default=0.999, minimum=0, maximum=1, doc="share of the average kept at each step"
    )
    eps: float = param(default=1e-5, minimum=0, doc="added to the variance")
    expose_hidden: bool = param(
        default=False, doc="take the first states as bottoms and give the last ones as tops"
    )
    weight_filler: Filler = param(default=None, doc="how the matrix or the filters start")
    bias_filler: Filler = param(default=None, doc="how the offsets start")

    @property
    def hidden(self) -> int:
        """Return how many blobs pass from step to step."""
        return 2 if self.cell == "LSTM" else 1

    @property
    def gates(self) -> int:
        """Return how many gates a cell has."""
        return GATES[self.cell]

    def state_shape(self, x: Blob) -> tuple[Size, ...]:
        """Return the shape of h and c."""
        return (x.shape[0] // self.time_steps, x.channels // self.gates, *x.spatial)

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the states of all steps, and the last ones where they are exposed."""
        exposed = self.hidden if self.expose_hidden else 0
        for counted, code, at in (
            (self.bottom_count, codes.WrongBottomCount, "bottom"),
            (self.top_count, codes.WrongTopCount, "top"),
        ):
            if counted != 1 + exposed:
                raise Reject(
                    code, at=at, type="Recurrence", count=counted,
                    expected=f"{1 + exposed} {at}s" if exposed else f"1 {at}",
                )  # fmt: skip
        rank = 2 if self.kernel_size is None else 4
        need_ranks(bottoms, *[rank] * 3)
        x = bottoms[0]
        self.reject_remainders(x)
        states = [Blob(self.state_shape(x), x.dtype)] * exposed
        return [Blob((x.shape[0], x.channels // self.gates, *x.spatial), x.dtype), *states]

    def reject_remainders(self, x: Blob) -> None:
        """Reject E413 sizes that leave a remainder; `agree` judges those that are not known."""
        if self.kernel_size is not None and self.kernel_size % 2 == 0:
            raise Reject(
                codes.BadParam, at="kernel_size", value=self.kernel_size,
                reason="must be odd: the state keeps its extents",
            )  # fmt: skip
        for name, size, parts, what in (
            ("cell", x.channels, self.gates, "channels"),
            ("time_steps", x.shape[0], self.time_steps, "rows"),
        ):
            if isinstance(size, int) and size % parts:
                raise Reject(
                    codes.BadParam, at=name, value=getattr(self, name),
                    reason=f"needs a multiple of {parts} {what}, not {size}",
                )  # fmt: skip

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that rows and channels divide, and that first states have the shape of the last."""
        x, *states = bottoms
        for axis, parts in ((0, self.time_steps), (1, self.gates)):
            size = x.shape[axis]
            yield f"axis {axis} and its multiple of {parts}", size, size // parts * parts, 0
        for index, blob in enumerate(states, 1):
            for axis, wanted in enumerate(self.state_shape(x)):
                yield fixed(blob, axis, wanted, index)

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the matrix or the filters, the offsets, and the factor of a normalisation."""
        rows = bottoms[0].channels
        taps = () if self.kernel_size is None else (self.kernel_size, self.kernel_size)
        yield "weight_hh", (rows, rows // self.gates, *taps)
        yield "bias_hh", (rows,)
        if self.batch_normalize:
            yield "factor_hh", (rows,)

    def state(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the averages of a normalisation."""
        if self.batch_normalize:
            yield "running_mean", (bottoms[0].channels,)
            yield "running_var", (bottoms[0].channels,)

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the weights start, where that is given."""
        return {f"{name}_hh": filler for name, filler in super().fillers().items()}

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count one for each element of the matrix or filters at each place of each row."""
        _, shape = next(self.weights(*bottoms))
        return product(shape) * bottoms[0].shape[0] * product(bottoms[0].spatial)
