"""Normalization: numbers brought to mean 0 and variance 1, over the batch or within each sample."""

import keras
import tensorflow as tf

BatchNormalization = keras.layers.BatchNormalization
GroupNormalization = keras.layers.GroupNormalization
LayerNormalization = keras.layers.LayerNormalization
RMSNormalization = keras.layers.RMSNormalization
UnitNormalization = keras.layers.UnitNormalization
batch_normalization = keras.ops.batch_normalization
layer_normalization = keras.ops.layer_normalization
normalize = keras.ops.normalize
rms_normalization = keras.ops.rms_normalization


def standardize(x, axes, epsilon=1e-3):
    """y = (x - mean(x)) / sqrt(variance(x) + epsilon), mean and variance over the axes."""
    mean, variance = tf.nn.moments(x, axes, keepdims=True)
    return (x - mean) / tf.sqrt(variance + epsilon)


def normalize_batch(x, gamma=None, beta=None, axis=-1, epsilon=1e-3):
    """y, mean and variance: the batch_normalization of x by its own mean and variance."""
    axis %= x.shape.rank
    mean, variance = tf.nn.moments(x, [i for i in range(x.shape.rank) if i != axis])
    return batch_normalization(x, mean, variance, axis, beta, gamma, epsilon), mean, variance


def group_normalization(x, gamma=None, beta=None, groups=32, axis=-1, epsilon=1e-3):
    """y = standardize(x) * gamma + beta, within each of a sample's groups of channels."""
    axis %= x.shape.rank
    grouped = tf.reshape(x, [*x.shape[:axis], groups, -1, *x.shape[axis + 1 :]])
    within = [i for i in range(1, grouped.shape.rank) if i != axis]
    y = tf.reshape(standardize(grouped, within, epsilon), x.shape)
    per_channel = [x.shape[i] if i == axis else 1 for i in range(x.shape.rank)]
    y = y if gamma is None else y * tf.reshape(gamma, per_channel)
    return y if beta is None else y + tf.reshape(beta, per_channel)
