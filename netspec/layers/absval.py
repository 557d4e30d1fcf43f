"""AbsVal."""

from __future__ import annotations

from ..layer import Layer


class AbsVal(Layer):
    """Take absolute values.

    y = |x|

    Shape   same
    Source  BVLC/caffe, src/caffe/layers/absval_layer.cpp
    """

    family = "activation"
    in_place = False
