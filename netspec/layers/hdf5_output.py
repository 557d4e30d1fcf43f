"""HDF5Output."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, param


class HDF5Output(Layer):
    """Stand for a layer that writes two blobs to a file; netspec does not run it.

    Shape   S, T  ->
    Source  BVLC/caffe, src/caffe/layers/hdf5_output_layer.cpp
    """

    family = "data"
    bottoms = 2
    tops = 0
    reads = "any"

    file_name: str = param(doc="the file to write")

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return no blob."""
        return []
