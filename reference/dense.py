"""Fully connected layers: as a function, as Keras's layer, and as a naive network of two."""

import math

import keras
import tensorflow as tf

Activation = keras.layers.Activation
Dense = keras.layers.Dense


def dense(x, kernel, bias=None):
    """y = x @ kernel + bias, for x (..., i), kernel (i, o), bias (o,); y is (..., o)."""
    y = tf.matmul(x, kernel) if x.shape.rank == 2 else tf.tensordot(x, kernel, axes=1)
    return y if bias is None else y + bias


class NaiveDense:
    """y = activation(x @ W + b), with W uniform in [0, 0.1) and b zero: the smallest dense layer.

    Source: Chollet, Deep Learning with Python.
    """

    def __init__(self, input_size, output_size, activation, dtype=None):
        self.activation = activation
        uniform = keras.initializers.RandomUniform(minval=0.0, maxval=1e-1)
        self.W = tf.Variable(uniform((input_size, output_size), dtype))
        self.b = tf.Variable(keras.initializers.Zeros()((output_size,), dtype))

    def __call__(self, x):
        return self.activation(tf.matmul(x, self.W) + self.b)

    @property
    def weights(self):
        return [self.W, self.b]


class NaiveSequential:
    """y = layers[-1](… layers[0](x)): a list of layers called in turn.

    Source: Chollet, Deep Learning with Python.
    """

    def __init__(self, layers):
        self.layers = layers

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    @property
    def weights(self):
        return [weight for layer in self.layers for weight in layer.weights]


class BatchGenerator:
    """Successive batches of (images, labels); the last one holds what is left.

    next() advances by batch_size samples and starts over after num_batches of them.
    """

    def __init__(self, images, labels, batch_size=128):
        batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(batch_size)
        self.num_batches = math.ceil(len(images) / batch_size)
        self._batches = batches
        self._endless = iter(batches.repeat())

    def next(self):
        return next(self._endless)

    def __iter__(self):
        return iter(self._batches)
