"""Flip."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, need_rank, param


class Flip(Layer):
    """Turn images round, so that left is right or top is bottom.

    y[n, c, i, j] = x[n, c, i, W - 1 - j] with `flip_width`, x[n, c, H - 1 - i, j] with
    `flip_height`, both with both

    Shape   N x C x H x W  ->  same; an axis that is not there has nothing to turn
    Rejects E404 if there are more than 4 axes
    Source  happynear/caffe-windows, src/caffe/layers/flip_layer.cpp
    """

    family = "shape"
    reads = "any"
    in_place = False

    flip_width: bool = param(default=True, doc="left becomes right")
    flip_height: bool = param(default=False, doc="top becomes bottom")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        need_rank(bottoms[0], 1, 4)
        return bottoms[0]
