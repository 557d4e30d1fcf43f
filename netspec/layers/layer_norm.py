"""LayerNorm."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Layer, Reject, canonical_axis, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size


class LayerNorm(Layer):
    """Give the values along some axes zero mean and unit variance, at each place of the others.

    y = weight * (x - mean) / sqrt(variance + eps) + bias

    Shape   same
    Rejects E405, E413 if the axes are not all there
    Source  arXiv 1607.06450

    The default is the last axis. `axis: 1, num_axes: 1` is the channels of each pixel, as in
    ConvNeXt.
    """

    family = "normalisation"

    axis: int = param(default=-1, doc="the first axis averaged over; negative from the end")
    num_axes: int = param(default=-1, minimum=-1, doc="axes averaged over; -1 is the rest")
    eps: float = param(default=1e-5, minimum=0, doc="added to the variance")
    affine: bool = param(default=True, doc="learn a factor for each value along the axes")
    bias_term: bool = param(default=True, doc="learn an offset beside the factor")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's blob."""
        averaged(self, bottoms[0])
        return bottoms[0]

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the factor and the offset, if they are learned."""
        if self.affine:
            first, end = averaged(self, bottoms[0])
            yield "weight", bottoms[0].shape[first:end]
            if self.bias_term:
                yield "bias", bottoms[0].shape[first:end]


def averaged(layer: Layer, x: Blob) -> tuple[int, int]:
    """Return the first axis a mean is taken over and the one after the last.

    Rejects E405, and E413 for a span that is empty or past the last axis.
    """
    first = canonical_axis(layer, "axis", x)
    count: int = layer.num_axes  # type: ignore[attr-defined]  # its callers all have it
    end = x.rank if count == -1 else first + count
    if not first < end <= x.rank:
        reason = f"leaves axes {first} to {end - 1} of {x.rank}" if end > first else "is no axis"
        raise Reject(codes.BadParam, at="num_axes", value=count, reason=reason)
    return first, end
