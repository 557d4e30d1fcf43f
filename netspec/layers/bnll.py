"""BNLL."""

from __future__ import annotations

from ..layer import Layer


class BNLL(Layer):
    """Take the binomial normal log likelihood, a smooth ReLU.

    y = log(1 + exp(x))

    Shape   same
    Source  BVLC/caffe, src/caffe/layers/bnll_layer.cpp

    In place, the gradient is taken at y and not at x, as Caffe does: it reads the value it has
    overwritten. Give the top a name of its own for the true derivative.
    """

    family = "activation"
