"""MergeCrop."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import minimum
from ..layer import Bools, Layer, Reject, listed, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layer import Agreement


class MergeCrop(Layer):
    """Cut the middle out of the second bottom and stack it on the first, as a U-Net does.

    STACK: y = the channels of a, then those of b[n, c, floor((E - D)/2) + i]
    ADD: y[n, c, i] = a[n, c, i] + b[n, c, floor((E - D)/2) + i]

    `forward` says for each bottom whether it counts, else it counts as zeros; `backward` whether
    it gets a gradient: the second gets none unless that is said.

    STACK of C1 and C2 channels that differ is as the fork has it: channel j of item n is channel
    (n*(C1 + C2) + j) mod C1 of a where floor(j / C1) is even, else the same mod C2 of b. With
    C1 > C2 that is a plain stack for item 0 only; Crop and Concat stack for every item.

    Shape   N x C1 x D1..Dr, N x C2 x E1..Er  ->  N x C1 + C2 x D1..Dr with STACK
            N x C x D1..Dr, N x C x E1..Er  ->  N x C x D1..Dr with ADD
    Rejects E402 if N differs, or C with ADD, or D is more than E
            E404 if there are not 1 to 6 spatial axes, or the bottoms differ in rank
            E330 if `forward` or `backward` is given more than twice
    Source  naibaf7/caffe, src/caffe/layers/mergecrop_layer.{cpp,cu}
    """

    family = "merge"
    message = "mergecrop_param"
    bottoms = 2

    operation: str = param(default="STACK", choices=("STACK", "ADD"), doc="how to merge")
    forward: Bools = param(default=None, doc="whether each bottom counts; true, true")
    backward: Bools = param(default=None, doc="whether each bottom gets a gradient; true, false")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the extents of the first bottom, with the channels of both where stacked."""
        a, b = bottoms
        need_rank(a, 3, 8)
        need_rank(b, a.rank, a.rank, 1)
        for name in ("forward", "backward"):
            self.each(name)
        return a if self.operation == "ADD" else a.like(channels=a.channels + b.channels)

    def each(self, name: str) -> tuple[bool, bool]:
        """Return what `forward` or `backward` says of the two bottoms."""
        given = listed(getattr(self, name))
        if len(given) > 2:
            raise Reject(
                codes.WrongCount, at=name, key=name, expected="at most 2", count=len(given)
            )
        first, second = given + [True, name == "forward"][len(given) :]
        return first, second

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that batch, and channels to add, agree, and that the second is no smaller."""
        a, b = bottoms
        for axis, (size, other) in enumerate(zip(a.shape, b.shape, strict=True)):
            if axis > 1:
                yield f"what is kept of axis {axis}", minimum(size, other), size, 1
            elif axis == 0 or self.operation == "ADD":
                yield f"axis {axis}", other, size, 1
