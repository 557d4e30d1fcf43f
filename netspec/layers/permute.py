"""Permute."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Ints, Layer, Reject, listed, param


class Permute(Layer):
    """Put the axes of the bottom in another order, as SSD's Caffe does.

    Axes that `order` leaves out follow in their own order.

    Shape   S  ->  S[order[0]] x S[order[1]] x ..
    Rejects E405 if `order` names an axis the bottom does not have
            E413 if it names one twice
    Source  weiliu89/caffe, ssd branch, src/caffe/layers/permute_layer.cpp
    """

    family = "structure"
    reads = "any"

    order: Ints = param(default=None, minimum=0, doc="axes of the bottom, in the order of the top")

    def axes(self, blob: Blob) -> list[int]:
        """Return every axis of the bottom, in the order of the top."""
        order = listed(self.order)
        for axis in order:
            if axis >= blob.rank:
                raise Reject(
                    codes.AxisOutOfRange, at="order", value=order, rank=blob.rank, shape=str(blob)
                )
        if len(set(order)) != len(order):
            raise Reject(codes.BadParam, at="order", value=order, reason="names an axis twice")
        return order + [axis for axis in range(blob.rank) if axis not in order]

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the extents in their new order."""
        x = bottoms[0]
        return Blob((x.shape[axis] for axis in self.axes(x)), x.dtype)
