"""SelfAttention."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..dim import minimum
from ..layer import Filler, Layer, Reject, need_rank, param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..dim import Size
    from ..layer import Agreement


class SelfAttention(Layer):
    """Let each pixel look at all pixels, and add what it sees, scaled by a learned sigma.

    y = x + sigma W_o (softmax(theta^T phi) g)
    theta, phi, g = W_theta x, pool(W_phi x), pool(W_g x)

    The matrices are 1 x 1 convolutions without offsets: theta and phi to C / reduction channels, g
    to C / value_reduction, o back to C. pool is max pooling of 2 x 2, stride 2. sigma starts at 0:
    at first the layer changes nothing. With spectral_norm each matrix is divided by its largest
    singular value, followed by one power iteration in each training forward. The MACs are those
    of the four matrices.

    Shape   N x C x H x W  ->  same
    State   u of each matrix, with spectral_norm: the left singular vector so far
    Phase   with spectral_norm, only training moves u
    Rejects E404 unless there are 4 axes
            E401 if a reduction does not divide C
            E402 if `pool` has less than 2 x 2 pixels
    Source  arXiv:1805.08318;  brain-research/self-attention-gan, non_local.py
    """

    family = "attention"

    reduction: int = param(default=8, minimum=1, doc="C over the channels of theta and phi")
    value_reduction: int = param(default=2, minimum=1, doc="C over the channels of g")
    pool: bool = param(default=True, doc="look at the maxima of 2 x 2 pixels only")
    # the attribute `spectral_norm` would mean one weight, to infer.py and the backends
    spectral: bool = param(
        default=False, field="spectral_norm", doc="divide each matrix by its spectral norm"
    )
    weight_filler: Filler = param(default=None, doc="how the four matrices start")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return the bottom's own shape."""
        x = bottoms[0]
        need_rank(x, 4, 4, 0)
        for name in ("reduction", "value_reduction"):
            if x.channels % getattr(self, name) != 0:
                raise Reject(
                    codes.NotDivisible, at=name, value=getattr(self, name), side="input",
                    channels=x.channels,
                )  # fmt: skip
        return x

    def agree(self, *bottoms: Blob) -> Iterator[Agreement]:
        """Yield that a pool has something to read."""
        for axis, size in enumerate(bottoms[0].spatial if self.pool else (), 2):
            yield f"axis {axis} and the 2 its pool reads", minimum(size, 2), 2, 0

    def weights(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the four matrices and sigma."""
        for name, shape in self.matrices(bottoms[0].channels):
            yield f"{name}.weight", (*shape, 1, 1)
        yield "sigma", (1,)

    def matrices(self, channels: Size) -> list[tuple[str, tuple[Size, Size]]]:
        """Return the names and sizes of the matrices, outputs first."""
        keys, values = channels // self.reduction, channels // self.value_reduction
        return [
            ("theta", (keys, channels)),
            ("phi", (keys, channels)),
            ("g", (values, channels)),
            ("o", (channels, values)),
        ]

    def state(self, *bottoms: Blob) -> Iterator[tuple[str, Sequence[Size]]]:
        """Yield the singular vectors."""
        if self.spectral:
            for name, shape in self.matrices(bottoms[0].channels):
                yield f"{name}.u", shape[:1]

    def fillers(self) -> dict[str, Filler | None]:
        """Return how the matrices start."""
        if "weight_filler" not in self.given:
            return {}
        return {f"{name}.weight": self.weight_filler for name in ("theta", "phi", "g", "o")}

    def macs(self, bottoms: Sequence[Blob], tops: Sequence[Blob]) -> Size:
        """Count one for each element of each matrix and each pixel it is used at."""
        n, channels, height, width = bottoms[0].shape
        sizes: Size = 0
        for _, (outputs, inputs) in self.matrices(channels):
            sizes = sizes + outputs * inputs
        return n * height * width * sizes
