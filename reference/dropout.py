"""Dropout and noise: in training each number is dropped or disturbed, in inference nothing is."""

import math

import keras
import tensorflow as tf

AlphaDropout = keras.layers.AlphaDropout
Dropout = keras.layers.Dropout
GaussianDropout = keras.layers.GaussianDropout
GaussianNoise = keras.layers.GaussianNoise
SpatialDropout1D = keras.layers.SpatialDropout1D
SpatialDropout2D = keras.layers.SpatialDropout2D


def gaussian_noise(x, stddev, seed=None):
    """y = x + noise, the noise normal with mean 0 and standard deviation stddev."""
    return x + keras.random.normal(x.shape, 0.0, stddev, x.dtype, seed)


def gaussian_dropout(x, rate, seed=None):
    """y = x * noise, the noise normal with mean 1 and variance rate / (1 - rate), as dropout's."""
    return x * keras.random.normal(x.shape, 1.0, math.sqrt(rate / (1 - rate)), x.dtype, seed)


def alpha_dropout(x, rate, noise_shape=None, seed=None):
    """y = a * (x where u >= rate, else low) + b, for u uniform in [0, 1).

    low is the limit of selu towards the left; a and b keep a mean of 0 and a variance of 1. u is
    drawn in floatx.
    """
    low = -1.6732632423543772 * 1.0507009873554805
    a = ((1 - rate) * (1 + rate * low**2)) ** -0.5
    b = -a * low * rate
    shape = [m or n for m, n in zip(noise_shape or x.shape, x.shape, strict=True)]
    keep = keras.ops.greater_equal(keras.random.uniform(shape, seed=seed), rate)
    return a * tf.where(keep, x, tf.constant(low, x.dtype)) + b
