"""Regression: a line through numbers, solved for and descended to, and one between classes."""

import functools

import tensorflow as tf

from . import activations, descent, losses, perceptrons


def linear_regression(x, kernel, bias):
    """y = x @ kernel + bias, for x (n, i), kernel (i,): one number for each sample."""
    return perceptrons.weighted_sum(x, kernel) + bias


def logistic_regression(x, kernel, bias):
    """y = sigmoid(linear_regression(x, kernel, bias)): the probability of class 1."""
    return activations.sigmoid(linear_regression(x, kernel, bias))


def normal_equations(x, y):
    """weights = the kernel, then the bias, of least squared error."""
    columns = tf.concat([x, tf.ones([len(x), 1], x.dtype)], axis=1)
    return tf.linalg.lstsq(columns, y[:, tf.newaxis])[:, 0]


def descend_linear_regression(x, y, learning_rate=0.1, steps=100):
    """weights -= learning_rate * the gradient of the mean squared error, from zeros."""
    return _descend(losses.mean_squared_error, x, y, learning_rate, steps)


def descend_logistic_regression(x, y, learning_rate=1.0, steps=100):
    """weights -= learning_rate * the gradient of the binary cross-entropy; otherwise as above."""
    loss = functools.partial(losses.binary_crossentropy, from_logits=True)
    return _descend(loss, x, y, learning_rate, steps)


def _descend(loss, x, y, learning_rate, steps):
    def gradient(weights):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            value = loss(y, linear_regression(x, weights[:-1], weights[-1]))
        return tape.gradient(value, weights)

    start = tf.zeros(x.shape[1] + 1, x.dtype)
    return descent.gradient_descent(start, gradient, learning_rate, steps)
