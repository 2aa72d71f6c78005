"""Convolutions: the picture of im2col, Keras's functions, and Keras's layers."""

import keras
import tensorflow as tf

Conv1D = keras.layers.Conv1D
Conv2D = keras.layers.Conv2D
Conv2DTranspose = keras.layers.Conv2DTranspose
DepthwiseConv2D = keras.layers.DepthwiseConv2D
SeparableConv2D = keras.layers.SeparableConv2D
conv = keras.ops.conv
conv_transpose = keras.ops.conv_transpose
depthwise_conv = keras.ops.depthwise_conv
separable_conv = keras.ops.separable_conv


def im2col(x, kernel_size, strides=(1, 1)):
    """columns[n, i, j, (k, l, c)] = x[n, i * down + k, j * across + l, c]."""
    sizes, steps = [1, *kernel_size, 1], [1, *strides, 1]
    return tf.image.extract_patches(x, sizes, steps, rates=[1, 1, 1, 1], padding="VALID")


def conv_by_im2col(x, kernel, strides=(1, 1)):
    """y = im2col(x) @ kernel, the kernel (kernel h, kernel w, c, o) as a matrix with o columns."""
    matrix = tf.reshape(kernel, [-1, kernel.shape[-1]])
    return im2col(x, kernel.shape[:2], strides) @ matrix
