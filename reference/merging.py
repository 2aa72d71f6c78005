"""Merging: several inputs become one, and the gradient finds its way back to each."""

import functools

import keras
import tensorflow as tf

Add = keras.layers.Add
Average = keras.layers.Average
Concatenate = keras.layers.Concatenate
Dot = keras.layers.Dot
Maximum = keras.layers.Maximum
Minimum = keras.layers.Minimum
Multiply = keras.layers.Multiply
Subtract = keras.layers.Subtract


def add(*inputs):
    """y = x1 + x2 + …"""
    return functools.reduce(tf.add, inputs)


def subtract(x1, x2):
    """y = x1 - x2."""
    return x1 - x2


def multiply(*inputs):
    """y = x1 * x2 * …"""
    return functools.reduce(tf.multiply, inputs)


def average(*inputs):
    """y = (x1 + x2 + …) / their number."""
    return add(*inputs) / len(inputs)


def maximum(*inputs):
    """y = the largest of the inputs, place by place."""
    return functools.reduce(tf.maximum, inputs)


def minimum(*inputs):
    """y = the smallest of the inputs, place by place."""
    return functools.reduce(tf.minimum, inputs)


def concatenate(*inputs, axis=-1):
    """y = the inputs one after the other along an axis."""
    return tf.concat(inputs, axis)


def dot(x1, x2, axes=-1, normalize=False):
    """y = the sum of x1 * x2 over an axis of each, for every sample."""
    axis1, axis2 = (axes, axes) if isinstance(axes, int) else axes
    if normalize:
        x1, x2 = keras.ops.normalize(x1, axis1), keras.ops.normalize(x2, axis2)
    letters1, letters2 = list("abcdef"[: x1.shape.rank]), list("auvwxy"[: x2.shape.rank])
    letters1[axis1] = letters2[axis2] = "s"
    rest = [letter for letter in letters1[1:] + letters2[1:] if letter != "s"]
    y = tf.einsum(f"{''.join(letters1)},{''.join(letters2)}->a{''.join(rest)}", x1, x2)
    return y if rest else y[:, tf.newaxis]
