"""Binarize."""

from __future__ import annotations

from ..layer import Layer


class Binarize(Layer):
    """Keep only the sign, as binary networks do with what a convolution reads.

    y = 1 where x > 0, else -1

    The gradient is that of a clip to [-1, 1]: it passes where -1 <= x <= 1, and is 0 elsewhere.

    Shape   same
    Source  arXiv 1602.02830, section 1.3; AlexeyAB/darknet, src/convolutional_layer.c, xnor
    """

    family = "activation"
