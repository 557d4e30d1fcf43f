"""Gather."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject


class Gather(Layer):
    """Join the batches of all processes; of one process they are what they were.

    yjxiong's Caffe joins them where it runs in several processes under MPI. What netspec builds is
    one process: every top is its bottom, gradients too.

    Shape   S, T, ..  ->  S, T, ..
    Rejects E324 if there are not as many tops as bottoms
    Source  yjxiong/caffe, src/caffe/layers/gather_layer.cpp
    """

    family = "structure"
    bottoms = (1, None)
    tops = (1, None)
    reads = "any"
    in_place = False

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return each bottom for its top."""
        if self.top_count != len(bottoms):
            raise Reject(
                codes.WrongTopCount, at="top", type="Gather", count=self.top_count,
                expected=f"{len(bottoms)} tops, as many as bottoms",
            )  # fmt: skip
        return list(bottoms)
