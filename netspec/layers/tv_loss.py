"""TVLoss."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, need_rank, param


class TVLoss(Layer):
    """Add up how much neighbouring elements differ: total variation, small for a smooth image.

    ANISOTROPIC: y = (sum of |down|^beta + sum of |right|^beta) / N
    ISOTROPIC:   y = (sum of (down^2 + right^2)^(beta / 2), where both exist) / N
    down = x[.., h+1, w] - x[.., h, w], right = x[.., h, w+1] - x[.., h, w]

    Shape   N x C x H x W  ->  a scalar
    Rejects E404 if the bottom has not four axes
    Source  Mahendran, Vedaldi, arXiv:1412.0035, section 3.2; Johnson et al., arXiv:1603.08155
    """

    family = "loss"
    loss = True

    kind: str = param(
        default="ANISOTROPIC", choices=("ANISOTROPIC", "ISOTROPIC"), doc="how directions join"
    )
    beta: float = param(default=2.0, exclusiveMinimum=0, doc="power of a difference")

    def infer(self, *bottoms: Blob) -> Blob:
        """Return a scalar."""
        x = bottoms[0]
        need_rank(x, 4, 4, 0)
        return Blob((), x.dtype)
