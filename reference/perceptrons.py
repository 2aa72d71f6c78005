"""Perceptrons: weighted sums of inputs, side by side and stacked, and what a step decides."""

import itertools

import tensorflow as tf

from . import activations


def one_to_one(x, weight):
    """y = x * weight: one input, one weight, one prediction."""
    return x * weight


def weighted_sum(x, weights):
    """y = x[0] * weights[0] + x[1] * weights[1] + …, for x (i,) or samples (n, i), weights (i,)."""
    return tf.tensordot(x, weights, axes=1)


def one_to_many(x, weights):
    """y[o] = x * weights[o]: one input, and a prediction for every weight."""
    return x * weights


def many_to_many(x, weights):
    """y[o] = weighted_sum(x, weights[o]), for x (i,) and a row of weights for each prediction."""
    return tf.linalg.matvec(weights, x)


def stacked(x, kernel1, kernel2):
    """y = hidden @ kernel2 with hidden = x @ kernel1, for x (n, i): two layers."""
    return tf.matmul(tf.matmul(x, kernel1), kernel2)


def perceptron(x, weights, bias):
    """y = 1 where weighted_sum(x, weights) + bias > 0, else 0."""
    return activations.step(weighted_sum(x, weights) + bias)


def and_gate(x):
    """y = 1 where both are 1, for x (n, 2) of zeros and ones: x1 / 2 + x2 / 2 > 0.7."""
    return _gate(x, 0.5, 0.5, -0.7)


def or_gate(x):
    """y = 1 where one or both are 1: x1 / 2 + x2 / 2 > 0.2."""
    return _gate(x, 0.5, 0.5, -0.2)


def nand_gate(x):
    """y = 1 where not both are 1: the perceptron of and_gate with all its signs changed."""
    return _gate(x, -0.5, -0.5, 0.7)


def _gate(x, weight1, weight2, bias):
    weights = tf.constant([weight1, weight2], tf.float64)
    return tf.cast(perceptron(tf.cast(x, tf.float64), weights, bias), x.dtype)


def xor_gate(x):
    """y = 1 where one of both is 1: and_gate of nand_gate and or_gate, in two layers."""
    return and_gate(tf.stack([nand_gate(x), or_gate(x)], axis=1))


def learn_perceptron(x, targets, learning_rate=1.0, epochs=10):
    """weights += learning_rate * (target - y) * x for one sample after the other; bias with x = 1.

    All starts from zero. Returns the weights, and the bias behind them.
    """
    weights = tf.Variable(tf.zeros(x.shape[1], x.dtype))
    bias = tf.Variable(tf.zeros((), x.dtype))
    for _ in range(epochs):
        for sample, target in zip(x, targets, strict=True):
            error = target - perceptron(sample, weights, bias)
            weights.assign_add(learning_rate * error * sample)
            bias.assign_add(learning_rate * error)
    return tf.concat([weights, [bias]], axis=0)


def truth_tables():
    """The rows y(0, 0), y(0, 1), y(1, 0), y(1, 1) that one perceptron can have: 14 of the 16."""
    corners = tf.constant(list(itertools.product([0.0, 1.0], repeat=2)), tf.float64)
    trials = tf.constant(list(itertools.product(range(-3, 4), repeat=3)), tf.float64)
    sums = tf.matmul(trials[:, :2], corners, transpose_b=True) + trials[:, 2:]
    tables = activations.step(sums).numpy().tolist()
    return tf.constant(sorted(set(map(tuple, tables))), tf.float64)
