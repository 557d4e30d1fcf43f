"""Python."""

from __future__ import annotations

from ..blob import Blob
from ..layer import Layer, Shapes, param
from .input import declared


class Python(Layer):
    """Stand for a layer that is Python code; no code of a spec is ever run.

    What it makes only its code knows, so the spec must say it: in `shape`, which Caffe lacks.

    Shape   ..  ->  shape, one for each top, or one for all
    Rejects E408 if `shape` is not given
    Source  BVLC/caffe, include/caffe/layers/python_layer.hpp
    """

    family = "other"
    bottoms = (0, None)
    tops = (0, None)
    reads = "any"
    opaque = True

    module: str = param(doc="the module of the class")
    layer: str = param(doc="the class")
    param_str: str = param(default="", doc="what it is told")
    share_in_parallel: bool = param(default=False, doc="ignored")
    shape: Shapes = param(default=None, doc="extents of the tops: one shape, or one for each top")

    def infer(self, *bottoms: Blob) -> list[Blob]:
        """Return the declared shapes."""
        return [Blob(shape) for shape in declared(self)] if self.top_count else []
