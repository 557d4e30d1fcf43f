"""PositionalEmbedding."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import minimum
from ..layer import Filler, Layer, Reject, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size
    from ..layer import Agreement


class PositionalEmbedding(Layer):
    """Add to each element of a sequence a vector that says where it stands.

    LEARNED: y[n, t, e] = x[n, t, e] + w[t, e]
    SINE:    w[t, 2k] = sin(t / 10000^(2k/E)), w[t, 2k+1] = cos(t / 10000^(2k/E)); not learned

    Shape   N x T x E  ->  N x T x E
    Rejects E404 unless there are 3 axes
            E408 if LEARNED has no `input_dim`
            E413 if the sequence is longer than `input_dim`
    Source  LEARNED: arXiv:1705.03122, 3.1;  SINE: arXiv:1706.03762, 3.5
    """

    family = "embedding"

    method: str = param(
        default="LEARNED", choices=("LEARNED", "SINE"), doc="where the vectors come from"
    )
    input_dim: int = param(default=None, minimum=1, doc="the most positions; LEARNED only")
    weight_filler: Filler = param(default=None, doc="how the vectors start")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the sequence's own shape."""
        x = bottoms[0]
        need_rank(x, 3, 3, 0)
        if self.method == "SINE":
            return x
        if self.input_dim is None:
            raise Reject(codes.ParamMissing, param="input_dim", what=" (the most positions)")
        length = x.shape[1]
        if isinstance(length, int) and length > self.input_dim:
            raise Reject(
                codes.BadParam, at="input_dim", value=self.input_dim,
                reason=f"is less than the {length} positions of the bottom",
            )  # fmt: skip
        return x

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that there is a vector for each position."""
        if self.method == "LEARNED":
            length = bottoms[0].shape[1]
            yield "axis 1, up to `input_dim`,", minimum(length, self.input_dim), length, 0

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield a vector for each position."""
        if self.method == "LEARNED":
            yield "weight", (self.input_dim, bottoms[0].shape[2])
