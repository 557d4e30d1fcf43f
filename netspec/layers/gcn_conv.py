"""GCNConv."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Filler, Layer, Reject, fixed, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size
    from ..layer import Agreement


class GCNConv(Layer):
    """Mix the features of each vertex of a graph with those of its neighbours.

    y = D^-1/2 (A + I) D^-1/2 x W^T + b, D = diagonal of the row sums of A + I

    The second bottom is A itself, float of V x V: A[i, j] is the weight of the edge from j to i.
    Or it is a list of edges, int64 of 2 x E: row 0 holds where they start, row 1 where they end;
    loops in the list are dropped, since each vertex gets one. The MACs are those of x W^T.

    Shape   V x F, V x V or 2 x E  ->  V x num_output;  with x of N x V x F, N x V x num_output
    Rejects E404 unless x has 2 or 3 axes, and the second bottom 2
            E402 if A does not have as many rows and columns as x has vertices
            E414 if the list of edges does not have 2 rows
            E411 if the second bottom is neither of x's dtype nor int64
    Source  arXiv:1609.02907, equation 2; pyg-team/pytorch_geometric, nn/conv/gcn_conv.py, GCNConv
    """

    family = "graph"
    bottoms = 2
    in_place = False
    reads = ("float", "any")

    num_output: int = param(minimum=1, doc="features of each vertex of the top")
    bias_term: bool = param(default=True, doc="learn one offset per feature")
    weight_filler: Filler = param(default=None, doc="how the matrix starts; xavier if not given")
    bias_filler: Filler = param(default=None, doc="how the offsets start; 0 if not given")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the vertices with their new features."""
        x, graph = bottoms
        need_rank(x, 2, 3, 0)
        need_rank(graph, 2, 2, 1)
        if graph.dtype not in (x.dtype, "int64"):
            raise Reject(
                codes.WrongDtype, expected=f"a matrix of {x.dtype} or int64 edges",
                dtype=graph.dtype, bottom=1,
            )  # fmt: skip
        return Blob((*x.shape[:-1], self.num_output), x.dtype)

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that a matrix is vertices by vertices; a list of edges has two rows."""
        x, graph = bottoms
        if graph.dtype == "int64":
            yield fixed(graph, 0, 2, 1)
            return
        yield "axis 0", graph.shape[0], x.shape[-2], 1
        yield "axis 1", graph.shape[1], x.shape[-2], 1

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the matrix, under the name PyTorch Geometric gives it, and the offsets."""
        yield "lin.weight", (self.num_output, bottoms[0].shape[-1])
        if self.bias_term:
            yield "bias", (self.num_output,)

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the weights start."""
        given = super().fillers()
        return {"lin.weight" if name == "weight" else name: given[name] for name in given}

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count one for each element of the matrix and each vertex."""
        return bottoms[0].size * self.num_output
