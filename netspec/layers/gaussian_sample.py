"""GaussianSample."""

from __future__ import annotations

from ..layer import Layer, same_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..blob import Blob
    from ..dim import Size


class GaussianSample(Layer):
    """Draw from normal distributions, so that gradients reach their means and variances.

    y = mu + exp(logvar / 2) * e, e drawn from N(0, 1); bottoms mu, logvar

    Shape   S, S  ->  S
    Phase   test gives mu
    Rejects E402 if the shapes differ
            E404 if the number of axes differs
    Source  arXiv 1312.6114, section 2.4
    """

    family = "regularisation"
    bottoms = 2

    def agree(self, *bottoms: Blob) -> Iterator[tuple[str, Size, Size, int]]:
        """Yield that both bottoms have one shape."""
        yield from same_shape(*bottoms)
