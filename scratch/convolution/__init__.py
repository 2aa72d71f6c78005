"""Convolutions: the picture of im2col, fast functions, and Keras's layers."""

from .functions import conv, conv_transpose, depthwise_conv, separable_conv
from .layers import Conv1D, Conv2D, Conv2DTranspose, DepthwiseConv2D, SeparableConv2D
from .plain import conv_by_im2col, im2col

__all__ = [
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "DepthwiseConv2D",
    "SeparableConv2D",
    "conv",
    "conv_by_im2col",
    "conv_transpose",
    "depthwise_conv",
    "im2col",
    "separable_conv",
]
