"""HDF5Data."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, Shapes, param
from .input import declared


class HDF5Data(Layer):
    """Stand for blobs that Caffe reads from HDF5 files; the caller gives them.

    A top has the name of its dataset. The extents are in the files, so the spec must say them: in
    `shape`, which Caffe does not have, or by --shape.

    Shape   ->  batch_size x shape, one for each top, or one for all
    Rejects E408 if the extents are not known
    Source  BVLC/caffe, src/caffe/layers/hdf5_data_layer.cpp
    """

    family = "data"
    bottoms = 0
    tops = (1, None)
    source = True

    source_: str = param(default="", field="source", doc="list of files; not read")
    batch_size: int = param(minimum=1, doc="items")
    shape: Shapes = param(default=None, doc="extents of an item of each top, without the batch")
    shuffle: bool = param(default=False, doc="ignored")

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the declared items, a batch of them."""
        return [Blob((self.batch_size, *shape)) for shape in declared(self)]
