"""BatchReindex."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, need_rank


class BatchReindex(Layer):
    """Pick items of the first bottom by the indices in the second; again, in any order.

    y[i] = x[index[i]]

    Shape   N x .., M  ->  M x ..
    Rejects E404 if the indices have not one axis
    Source  BVLC/caffe, src/caffe/layers/batch_reindex_layer.cpp
    """

    family = "structure"
    bottoms = 2
    reads = "any"
    no_gradient = (1,)

    def infer(self, *bottoms: Blob) -> Blob:
        """Return one item for each index."""
        x, indices = bottoms
        need_rank(indices, 1, 1, 1)
        need_rank(x, 1, bottom=0)
        return x.resized(0, indices.shape[0])
