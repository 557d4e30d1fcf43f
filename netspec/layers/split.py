"""Split."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer


class Split(Layer):
    """Give the bottom under several names.

    A spec never needs it: any number of layers may read one blob.

    Shape   S  ->  S, S, ..
    Source  BVLC/caffe, src/caffe/layers/split_layer.cpp
    """

    family = "structure"
    tops = (1, None)
    reads = "any"
    in_place = False

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the bottom for each top."""
        return [bottoms[0]] * self.top_count
