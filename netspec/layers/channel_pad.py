"""ChannelPad."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import maximum
from ..layer import Layer, Reject, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..dim import Size


class ChannelPad(Layer):
    """Add channels of zeros: the shortcut without weights of the first ResNets.

    Shape   N x C x ..  ->  N x num_output x .., or N x pad_begin + C + pad_end x ..
    Rejects E413 if num_output is less than C
            E407 if num_output and pad_end are both given; E408 if no param is
            E404 if there is no axis of channels
    Source  arXiv 1512.03385, section 3.3, option A
    """

    family = "shape"

    num_output: int = param(default=None, minimum=1, doc="channels of the top; zeros come last")
    pad_begin: int = param(default=0, minimum=0, doc="channels of zeros before the first")
    pad_end: int = param(default=0, minimum=0, doc="channels of zeros after the last")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the blob of more channels."""
        x = bottoms[0]
        need_rank(x, 2)
        if not self.given:
            raise Reject(codes.ParamMissing, param="num_output", what=" or `pad_end`")
        if self.num_output is None:
            return x.resized(1, self.pad_begin + x.channels + self.pad_end)
        for name in ("pad_begin", "pad_end"):
            if name in self.given:
                raise Reject(codes.ParamConflict, at=name, param=name, other="num_output")
        if isinstance(x.channels, int) and x.channels > self.num_output:
            raise Reject(
                codes.BadParam, at="num_output", value=self.num_output,
                reason=f"must be at least the {x.channels} channels of the bottom",
            )  # fmt: skip
        return x.resized(1, self.num_output)

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that no channel is lost."""
        if self.num_output is not None:
            channels = bottoms[0].channels
            yield "axis 1 and num_output", maximum(channels, self.num_output), self.num_output, 0
