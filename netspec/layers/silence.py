"""Silence."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer


class Silence(Layer):
    """Read blobs and make none, so that they are no outputs of the net.

    Shape   S, ..  ->
    Source  BVLC/caffe, src/caffe/layers/silence_layer.cpp
    """

    family = "structure"
    bottoms = (1, None)
    tops = 0
    reads = "any"

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return no blob."""
        return []
