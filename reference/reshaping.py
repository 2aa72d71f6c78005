"""Layers that move numbers and compute nothing: what goes forth one way comes back the other."""

import keras
import tensorflow as tf

Cropping1D = keras.layers.Cropping1D
Cropping2D = keras.layers.Cropping2D
Flatten = keras.layers.Flatten
Permute = keras.layers.Permute
RepeatVector = keras.layers.RepeatVector
Reshape = keras.layers.Reshape
UpSampling1D = keras.layers.UpSampling1D
UpSampling2D = keras.layers.UpSampling2D
ZeroPadding1D = keras.layers.ZeroPadding1D
ZeroPadding2D = keras.layers.ZeroPadding2D


def flatten(x):
    """y = each sample in one row: (n, ...) to (n, i)."""
    return tf.reshape(x, [len(x), -1])


def reshape(x, target_shape):
    """y = each sample in target_shape, where one size may be -1: what is left."""
    return tf.reshape(x, [len(x), *target_shape])


def permute(x, dims):
    """y = each sample with its axes, numbered from 1, in the order of dims."""
    return tf.transpose(x, [0, *dims])


def repeat_vector(x, n):
    """y[s, t] = x[s] for n steps t."""
    return tf.repeat(x[:, tf.newaxis], n, axis=1)


def zero_padding(x, padding):
    """y = x with zeros around; padding is (before, after) for each axis of a sample."""
    return tf.pad(x, [[0, 0], *padding])


def cropping(x, cropping):
    """y = x without its border, (before, after) for each axis of a sample."""
    sizes = zip(cropping, x.shape[1:], strict=True)
    return x[(slice(None), *[slice(before, size - after) for (before, after), size in sizes])]


def up_sampling(x, size, interpolation="nearest"):
    """y = x with size pixels for one, along each axis of a sample.

    "bilinear" is for images (n, h, w, c) and sizes (down, across, 1), and is computed in float32.
    """
    if interpolation == "bilinear":
        _, height, width, _ = x.shape
        y = tf.image.resize(x, (height * size[0], width * size[1]))
        return tf.cast(y, x.dtype)
    for axis, copies in enumerate(size, start=1):
        x = tf.repeat(x, copies, axis)
    return x
