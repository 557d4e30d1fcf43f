"""HardSigmoid."""

from __future__ import annotations

from ..layer import Layer, param


class HardSigmoid(Layer):
    """Squash values between 0 and 1 by three lines.

    y = min(max(alpha * x + beta, 0), 1)

    Shape   same
    Source  arXiv 1905.02244, section 5.2
    """

    family = "activation"

    alpha: float = param(default=1 / 6, doc="slope; 1/6, or 0.2 in ONNX and old Keras")
    beta: float = param(default=0.5, doc="value at 0")
