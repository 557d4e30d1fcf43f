"""Input."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..expression import ExpressionError
from ..expression import size as parse_size
from ..layer import Layer, Reject, Shapes, param, shape_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..dim import Size


class Input(Layer):
    """Take blobs from the caller, as an entry of `inputs:` does.

    Shape   ->  shape, one for each top, or one for all
    Rejects E408 if there is no shape
            E330 if there are neither one nor as many shapes as tops
    Source  BVLC/caffe, src/caffe/layers/input_layer.cpp
    """

    family = "data"
    bottoms = 0
    tops = (1, None)
    source = True

    shape: Shapes = param(default=None, doc="extents of the tops: one shape, or one for each top")

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the declared shapes."""
        return [Blob(shape) for shape in declared(self)]


def declared(layer: Layer) -> list[list[Size]]:
    """Return what `shape` says, for each top. Rejects E408 where it is not given, and E330."""
    given = _shapes(getattr(layer, "shape"))  # noqa: B009 - not every layer type has it
    if not given:
        raise Reject(
            codes.ParamMissing, param="shape", what=", the extents of its tops",
            hint="give `shape`, or the extents of the blob with --shape NAME=N,3,H,W",
        )  # fmt: skip
    if len(given) not in (1, layer.top_count):
        raise Reject(
            codes.WrongCount, at="shape", key="shape", expected=f"1 or {layer.top_count}",
            count=len(given),
        )  # fmt: skip
    shapes = [sizes("shape", shape) for shape in given]
    return shapes * layer.top_count if len(shapes) == 1 else shapes


def sizes(name: str, shape: Any) -> list[Size]:
    """Return the extents of a BlobShape, text parsed to exact sizes."""
    return [_size(name, dim) for dim in shape_of(shape)]


def _shapes(value: Any) -> list[Any]:
    """Return a repeated BlobShape as a list: one shape stands for a list of one."""
    if value is None:
        return []
    many = isinstance(value, list | tuple) and value and isinstance(value[0], dict | list | tuple)
    return list(value) if many else [value]


def _size(name: str, dim: Any) -> Size:
    if isinstance(dim, dict | list | tuple):
        reason = "stands among sizes: it is a shape"
        raise Reject(codes.BadParam, at=name, param=name, value=dim, reason=reason)
    if not isinstance(dim, str):
        return int(dim)
    try:
        return parse_size(dim)
    except ExpressionError as error:
        raise Reject(error.code, at=name, **error.facts) from None
