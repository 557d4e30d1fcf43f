"""Tile."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, canonical_axis, param


class Tile(Layer):
    """Repeat the bottom along an axis, copy after copy.

    Shape   S  ->  S with tiles * S[axis] along the axis
    Rejects E405 if there is no axis `axis`
    Source  BVLC/caffe, src/caffe/layers/tile_layer.cpp
    """

    family = "structure"

    axis: int = param(default=1, doc="the axis to repeat along; negative from the end")
    tiles: int = param(minimum=1, doc="how many copies")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom, longer along the axis."""
        x = bottoms[0]
        axis = canonical_axis(self, "axis", x)
        return x.resized(axis, x.shape[axis] * self.tiles)
