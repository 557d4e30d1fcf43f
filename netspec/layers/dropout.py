"""Dropout."""

from __future__ import annotations

from ..layer import Layer, param


class Dropout(Layer):
    """Set a random share of the values to 0 in training.

    y = x * kept / (1 - dropout_ratio), each value kept with probability 1 - dropout_ratio

    Shape   same
    Phase   test passes x on. With scale_train false, train does not divide and test multiplies
            by 1 - dropout_ratio.
    Source  BVLC/caffe, src/caffe/layers/dropout_layer.cpp
    """

    family = "regularisation"

    dropout_ratio: float = param(default=0.5, minimum=0, maximum=1, doc="share set to 0")
    scale_train: bool = param(default=True, doc="make up for the lost share in train, not in test")
