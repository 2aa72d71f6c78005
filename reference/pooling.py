"""Pooling: each window of an image gives one number, its largest or its average."""

import keras
import tensorflow as tf

AveragePooling1D = keras.layers.AveragePooling1D
AveragePooling2D = keras.layers.AveragePooling2D
GlobalAveragePooling1D = keras.layers.GlobalAveragePooling1D
GlobalAveragePooling2D = keras.layers.GlobalAveragePooling2D
GlobalMaxPooling1D = keras.layers.GlobalMaxPooling1D
GlobalMaxPooling2D = keras.layers.GlobalMaxPooling2D
MaxPooling1D = keras.layers.MaxPooling1D
MaxPooling2D = keras.layers.MaxPooling2D
average_pool = keras.ops.average_pool
max_pool = keras.ops.max_pool


def global_max_pool(x, data_format=None, keepdims=False):
    """y = the largest number of each channel, for x (n, steps, c) or (n, h, w, c)."""
    return tf.reduce_max(x, _pixel_axes(x, data_format), keepdims)


def global_average_pool(x, data_format=None, keepdims=False, mask=None):
    """y = the average of each channel, for x (n, steps, c) or (n, h, w, c).

    A mask, without the axis of the channels, says which places count.
    """
    axes = _pixel_axes(x, data_format)
    if mask is None:
        return tf.reduce_mean(x, axes, keepdims)
    seen = tf.expand_dims(mask, 1 if data_format == "channels_first" else -1)
    number = tf.reduce_sum(tf.cast(seen, x.dtype), axes, keepdims)
    return tf.reduce_sum(tf.where(seen, x, 0), axes, keepdims) / number


def _pixel_axes(x, data_format):
    first = 2 if data_format == "channels_first" else 1
    return list(range(first, first + x.shape.rank - 2))
