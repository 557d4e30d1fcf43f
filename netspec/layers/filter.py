"""Filter."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, need_rank

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class Filter(Layer):
    """Keep the items of each bottom whose selector, the last bottom, is not zero.

    The shape of a top is that of its bottom, as Caffe sets it up; when the net runs its axis 0 is
    as long as there are selectors that are not zero, which may be none.

    Shape   N x .., .., selectors N  ->  N x .., ..
    Rejects E402 if the bottoms differ in N
            E404 if an item has more than one selector
            E324 if there is not one top for each bottom but the last
    Source  BVLC/caffe, src/caffe/layers/filter_layer.cpp
    """

    family = "structure"
    bottoms = (2, None)
    tops = (1, None)
    reads = "any"

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return every bottom but the selectors."""
        *items, selectors = bottoms
        if self.top_count != len(items):
            raise Reject(
                codes.WrongTopCount, at="top", type="Filter", expected=f"{len(items)} tops",
                count=self.top_count,
            )  # fmt: skip
        last = len(items)
        for index, blob in enumerate(bottoms):
            need_rank(blob, 1, bottom=index)
        if any(size != 1 for size in selectors.shape[1:]):
            raise Reject(
                codes.WrongRank, expected=1, rank=selectors.rank, shape=str(selectors), bottom=last
            )
        return items

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that there is one selector for each item."""
        for index, blob in enumerate(bottoms[:-1]):
            yield "axis 0", blob.shape[0], bottoms[-1].shape[0], index
