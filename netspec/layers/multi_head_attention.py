"""MultiHeadAttention."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Filler, Layer, Reject, need_ranks, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class MultiHeadAttention(Layer):
    """Let each element of a sequence look at the elements of a sequence, with several heads.

    y = W_out [a_1 .. a_h] + b_out,  a_i = softmax(q_i k_i^T / sqrt(E / h)) v_i
    q, k, v = W_q x + b_q, W_k y + b_k, W_v z + b_v, cut into h = num_heads parts

    One bottom looks at itself; two are queries, and what they look at; three are queries, keys and
    values. The second top holds the softmax, averaged over the heads. The weights are those of
    torch.nn.MultiheadAttention; its axes are those of batch_first.
    The MACs are those of the four projections.

    Shape   N x T x E[, N x S x K[, N x S x V]]  ->  N x T x E[, N x T x S]
    Phase   in training a part `dropout` of the softmax is dropped
    Rejects E404 unless all bottoms have 3 axes
            E401 if num_heads does not divide E
            E402 if N of the bottoms differ, or S of keys and values
    Source  arXiv:1706.03762, 3.2;  pytorch/pytorch, torch/nn/modules/activation.py
    """

    family = "attention"
    bottoms = (1, 3)
    tops = (1, 2)
    in_place = False

    num_heads: int = param(minimum=1, doc="heads")
    bias_term: bool = param(default=True, doc="learn offsets")
    causal: bool = param(default=False, doc="element t sees only the elements up to t")
    dropout: float = param(
        default=0.0, minimum=0, maximum=1, doc="part of the softmax dropped when training"
    )
    weight_filler: Filler = param(default=None, doc="how the matrices start")
    bias_filler: Filler = param(default=None, doc="how the offsets start; 0 if not given")

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the sequence of the queries."""
        need_ranks(bottoms, 3, 3, 3)
        x, keys = bottoms[0], self.keys(*bottoms)
        if x.shape[2] % self.num_heads != 0:
            raise Reject(
                codes.NotDivisible, at="num_heads", value=self.num_heads, side="input",
                channels=x.shape[2],
            )  # fmt: skip
        seen = Blob((*x.shape[:2], keys.shape[1]), x.dtype)
        return [x, seen][: self.top_count]

    def keys(self, *bottoms: Blob) -> Blob:
        """Return what is looked at."""
        return bottoms[min(1, len(bottoms) - 1)]

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that all are of one batch; each key has its value."""
        for index, blob in enumerate(bottoms[1:], 1):
            yield "axis 0", blob.shape[0], bottoms[0].shape[0], index
        if len(bottoms) == 3:
            yield "axis 1", bottoms[2].shape[1], bottoms[1].shape[1], 2

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the projections: one matrix where all bottoms have E features, else three."""
        size, keys, values = (
            blob.shape[2] for blob in (bottoms[0], self.keys(*bottoms), bottoms[-1])
        )
        if keys == size and values == size:
            yield "in_proj_weight", (3 * size, size)
        else:
            yield "q_proj_weight", (size, size)
            yield "k_proj_weight", (size, keys)
            yield "v_proj_weight", (size, values)
        if self.bias_term:
            yield "in_proj_bias", (3 * size,)
        yield "out_proj.weight", (size, size)
        if self.bias_term:
            yield "out_proj.bias", (size,)

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the weights start: all matrices alike, all offsets alike."""
        given = super().fillers()
        names = [*(f"{part}_proj_weight" for part in ("in", "q", "k", "v")), "out_proj.weight"]
        start = {name: given["weight"] for name in names if "weight" in given}
        names = ["in_proj_bias", "out_proj.bias"]
        return start | {name: given["bias"] for name in names if "bias" in given}

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count one for each element of each projection and each row it is used on."""
        x, keys, values = bottoms[0], self.keys(*bottoms), bottoms[-1]
        return x.shape[2] * (2 * x.size + keys.size + values.size)
