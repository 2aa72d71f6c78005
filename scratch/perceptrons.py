"""Perceptrons: weighted sums of inputs, side by side and stacked, and what a step decides.

A perceptron draws a line. One line can be AND, OR or NAND; XOR takes two layers.
"""

import itertools
from collections.abc import Callable

import numpy as np

from . import activations

_Array = np.ndarray
_Backward = Callable[[_Array], tuple[_Array, ...]]
_Forward = tuple[_Array, _Backward]


def one_to_one(x: _Array, weight: _Array) -> _Forward:
    """y = x * weight: one input, one weight, one prediction."""
    return x * weight, lambda dy: (dy * weight, dy * x)


def weighted_sum(x: _Array, weights: _Array) -> _Forward:
    """y = x[0] * weights[0] + x[1] * weights[1] + …, for x (i,) or samples (n, i), weights (i,).

    dx = dy * weights, and dweights is the sum of dy * x over the samples.
    """

    def backward(dy):
        # np.outer and np.dot also take the single number of a single sample
        return np.outer(dy, weights).reshape(x.shape), np.dot(x.T, dy)

    return x @ weights, backward


def one_to_many(x: _Array, weights: _Array) -> _Forward:
    """y[o] = x * weights[o]: one input, and a prediction for every weight; dx is their sum."""
    return x * weights, lambda dy: (dy @ weights, dy * x)


def many_to_many(x: _Array, weights: _Array) -> _Forward:
    """y[o] = weighted_sum(x, weights[o]), for x (i,) and a row of weights for each prediction.

    dx = dy @ weights; dweights[o, i] = dy[o] * x[i], their outer product.
    """
    return weights @ x, lambda dy: (dy @ weights, np.outer(dy, x))


def stacked(x: _Array, kernel1: _Array, kernel2: _Array) -> _Forward:
    """y = hidden @ kernel2 with hidden = x @ kernel1, for x (n, i): two layers."""
    hidden = x @ kernel1

    def backward(dy):
        dhidden = dy @ kernel2.T
        return dhidden @ kernel1.T, x.T @ dhidden, hidden.T @ dy

    return hidden @ kernel2, backward


def perceptron(x: _Array, weights: _Array, bias: _Array | float) -> _Forward:
    """y = 1 where weighted_sum(x, weights) + bias > 0, else 0.

    All gradients are zero, as those of activations.step are: it cannot be trained by descent.
    Source: Rosenblatt 1958, The perceptron.
    """
    z, backward_sum = weighted_sum(x, weights)
    y, backward_step = activations.step(z + bias)

    def backward(dy):
        dz = backward_step(dy)
        return *backward_sum(dz), dz.sum()

    return y, backward


def and_gate(x: _Array) -> _Array:
    """y = 1 where both are 1, for x (n, 2) of zeros and ones: x1 / 2 + x2 / 2 > 0.7."""
    return _gate(x, 0.5, 0.5, -0.7)


def or_gate(x: _Array) -> _Array:
    """y = 1 where one or both are 1: x1 / 2 + x2 / 2 > 0.2."""
    return _gate(x, 0.5, 0.5, -0.2)


def nand_gate(x: _Array) -> _Array:
    """y = 1 where not both are 1: the perceptron of and_gate with all its signs changed."""
    return _gate(x, -0.5, -0.5, 0.7)


def _gate(x: _Array, weight1: float, weight2: float, bias: float) -> _Array:
    y, _ = perceptron(x, np.array([weight1, weight2]), bias)
    return y.astype(x.dtype)


def xor_gate(x: _Array) -> _Array:
    """y = 1 where one of both is 1: and_gate of nand_gate and or_gate, in two layers."""
    hidden = np.stack([nand_gate(x), or_gate(x)], axis=1)
    return and_gate(hidden)


def learn_perceptron(
    x: _Array, targets: _Array, learning_rate: float = 1.0, epochs: int = 10
) -> _Array:
    """weights += learning_rate * (target - y) * x for one sample after the other; bias with x = 1.

    All starts from zero. Returns the weights, and the bias behind them. Where a line separates the
    samples, one is found after finitely many steps; for XOR the weights go round in a circle.
    Source: Rosenblatt 1958; Novikoff 1962 for the proof.
    """
    weights, bias = np.zeros(x.shape[1], x.dtype), np.zeros((), x.dtype)
    for _ in range(epochs):
        for sample, target in zip(x, targets, strict=True):
            y, _ = perceptron(sample, weights, bias)
            weights = weights + learning_rate * (target - y) * sample
            bias = bias + learning_rate * (target - y)
    return np.append(weights, bias)


def truth_tables() -> _Array:
    """The rows y(0, 0), y(0, 1), y(1, 0), y(1, 1) that one perceptron can have: 14 of the 16.

    Trying all integers from -3 to 3 proves it. In the space of (w1, w2, bias), the table changes
    only where a corner's w1 * x1 + w2 * x2 + bias changes its sign: at four planes through the
    origin. A region between planes contains the sum of three of its edges; an edge is where two
    planes meet, at the cross product of two corners (x1, x2, 1), of -1, 0 and 1 alone. (On a plane
    the table is that of a slightly smaller bias, so planes add none.) The two that are missing are
    XOR and its opposite.
    """
    corners = np.array(list(itertools.product([0.0, 1.0], repeat=2)))
    trials = itertools.product(range(-3, 4), repeat=3)
    tables = [perceptron(corners, np.array([w1, w2]), bias)[0] for w1, w2, bias in trials]
    return np.unique(tables, axis=0)
