"""ConvolutionDepthwise in torch."""

from __future__ import annotations

from .convolution import lower

__all__ = ["lower"]
