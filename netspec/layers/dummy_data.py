"""DummyData."""

from __future__ import annotations

from .. import codes
from ..blob import Blob
from ..layer import Fillers, Ints, Layer, Reject, Shapes, listed, param, reject_filler
from .input import declared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OLD = ("num", "channels", "height", "width")


class DummyData(Layer):
    """Give blobs that fillers fill: constant ones once, random ones anew in every pass.

    Shape   ->  shape, one for each top, or one for all
    Rejects E408 if there is neither `shape` nor all of num, channels, height and width
            E330 if there are neither one nor as many shapes, or fillers, as tops
            E407 if both forms of the shape are given
    Source  BVLC/caffe, src/caffe/layers/dummy_data_layer.cpp
    """

    family = "data"
    bottoms = 0
    tops = (1, None)

    data_filler: Fillers = param(default=None, doc="how tops are filled: one, or one for each; 0")
    shape: Shapes = param(default=None, doc="extents of the tops: one shape, or one for each top")
    num: Ints = param(default=None, minimum=0, doc="old form: the first extent")
    channels: Ints = param(default=None, minimum=0, doc="old form: the second extent")
    height: Ints = param(default=None, minimum=0, doc="old form: the third extent")
    width: Ints = param(default=None, minimum=0, doc="old form: the fourth extent")

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the declared shapes."""
        blobs = self.declared()
        for filler, blob in zip(self.fills(), blobs, strict=True):
            reject_filler(self, filler, blob.shape)
        return blobs

    def declared(self) -> list[Blob]:
        """Return the blobs as either form of the shape says them."""
        old = [name for name in OLD if name in self.given]
        if not old:
            return [Blob(shape) for shape in declared(self)]
        if "shape" in self.given:
            raise Reject(codes.ParamConflict, at=old[0], param=old[0], other="shape")
        missing = next((name for name in OLD if name not in old), None)
        if missing:
            raise Reject(codes.ParamMissing, at=old[0], param=missing, what=f" beside `{old[0]}`")
        columns = [self.one_each(name, getattr(self, name)) for name in OLD]
        return [Blob(shape) for shape in zip(*columns, strict=True)]

    def fills(self) -> list[dict[str, Any]]:
        """Return the filler of each top."""
        given = listed(self.data_filler) if self.data_filler else [{"type": "constant"}]
        return self.one_each("data_filler", given)

    def one_each(self, name: str, value: Any) -> list[Any]:
        """Return a repeated field with one value for each top. Rejects E330."""
        given = listed(value)
        if len(given) not in (1, self.top_count):
            raise Reject(
                codes.WrongCount, at=name, key=name, expected=f"1 or {self.top_count}",
                count=len(given),
            )  # fmt: skip
        return given * self.top_count if len(given) == 1 else given
