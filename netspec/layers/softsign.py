"""Softsign."""

from __future__ import annotations

from ..layer import Layer


class Softsign(Layer):
    """Squash values between -1 and 1, slowly.

    y = x / (1 + |x|)

    Shape   same
    Source  Glorot and Bengio, Understanding the difficulty of training (2010)
    """

    family = "activation"
