"""Descent: errors, gradients by trial, and the ways down, point by point."""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import optimizers, random

_Array = np.ndarray
_Forward = tuple[_Array, Callable[[_Array], _Array]]


def squared_error(y_true: _Array, y_pred: _Array) -> _Forward:
    """value = (y_pred - y_true)², dy_pred = dvalue * 2 * (y_pred - y_true).

    losses.mean_squared_error is its mean.
    """
    error = y_pred - y_true
    return error * error, lambda dvalue: dvalue * 2 * error


def sum_of_squares(y_true: _Array, y_pred: _Array) -> _Forward:
    """value = sum((y_pred - y_true)²) / 2 for each sample, dy_pred = dvalue * (y_pred - y_true)."""
    error = y_pred - y_true
    return (error * error).sum(axis=-1) / 2, lambda dvalue: np.expand_dims(dvalue, -1) * error


def cross_entropy(y_true: _Array, y_pred: _Array) -> _Forward:
    """value = -sum(y_true * log(y_pred + 1e-7)), dy_pred = -dvalue * y_true / (y_pred + 1e-7).

    For each sample. The textbook's 1e-7 keeps the logarithm of 0 finite; Keras's losses clip
    instead. Source: Saitoh, Deep Learning from the Basics.
    """
    p = y_pred + 1e-7
    value = -(y_true * np.log(p)).sum(axis=-1)
    return value, lambda dvalue: -np.expand_dims(dvalue, -1) * y_true / p


def forward_difference(x: _Array, function: Callable[[_Array], _Array], h: float = 1e-4) -> _Array:
    """dx[i] = (function(x + h) - function(x)) / h, where only x[i] is moved by h.

    It is off by about h / 2 times the second derivative.
    """
    differences = [(function(x + h * unit) - function(x)) / h for unit in _units(x)]
    return np.reshape(differences, x.shape)


def central_difference(x: _Array, function: Callable[[_Array], _Array], h: float = 1e-4) -> _Array:
    """dx[i] = (function(x + h) - function(x - h)) / (2 * h), where only x[i] is moved by h.

    It is off by about h² / 6 times the third derivative. A smaller h loses more to rounding.
    """
    differences = [
        (function(x + h * unit) - function(x - h * unit)) / (2 * h) for unit in _units(x)
    ]
    return np.reshape(differences, x.shape)


def _units(x):
    """One array like x for each of its numbers, 1 there and 0 elsewhere."""
    return np.eye(x.size, dtype=x.dtype).reshape(x.size, *x.shape)


def hot_and_cold(
    weight: _Array, x: _Array, target: _Array, step: float = 0.001, iterations: int = 1101
) -> _Array:
    """weight += step or weight -= step, whichever lowers the error of x * weight; all weights.

    It needs no gradient, and does not know how far to go: it ends in steps to and fro.
    Source: Trask, Grokking Deep Learning.
    """
    path = [weight]
    for _ in range(iterations):
        weight = path[-1]
        up, _ = squared_error(target, x * (weight + step))
        down, _ = squared_error(target, x * (weight - step))
        path.append(weight + step if up < down else weight - step if down < up else weight)
    return np.stack(path)


def gradient_descent(
    x: _Array,
    gradient: Callable[[_Array], _Array],
    learning_rate: float = 0.01,
    steps: int = 100,
    decay: float = 0.0,
) -> _Array:
    """x -= learning_rate / (1 + decay * step) * gradient(x); all x, the start first.

    A learning rate that is too small arrives nowhere, one above 2 / (the second derivative) throws
    x further off with every step. With a decay it may start large.
    """
    path = [x]
    for step in range(steps):
        rate = learning_rate / (1 + decay * step)
        path.append(path[-1] - rate * gradient(path[-1]))
    return np.stack(path)


def descend_one_weight(
    weight: _Array, x: _Array, target: _Array, learning_rate: float = 0.01, steps: int = 1500
) -> _Array:
    """weight -= learning_rate * (x * weight - target) * x; all weights.

    The gradient, here and below, is that of half the squared error.
    """
    return gradient_descent(weight, lambda w: (x * w - target) * x, learning_rate, steps)


def descend_several_inputs(
    weights: _Array, x: _Array, target: _Array, learning_rate: float = 0.01, steps: int = 100
) -> _Array:
    """weights -= learning_rate * (x @ weights - target) * x, for x (i,); all weights."""
    return gradient_descent(weights, lambda w: (x @ w - target) * x, learning_rate, steps)


def descend_several_outputs(
    kernel: _Array, x: _Array, targets: _Array, learning_rate: float = 0.01, steps: int = 100
) -> _Array:
    """kernel[i, o] -= learning_rate * x[i] * (x @ kernel - targets)[o]; all kernels.

    The gradient is the outer product of the inputs and the errors of the outputs.
    """
    return gradient_descent(kernel, lambda k: np.outer(x, x @ k - targets), learning_rate, steps)


def descend_in_batches(
    weights: _Array,
    x: _Array,
    targets: _Array,
    batch_size: int | None = None,
    learning_rate: float = 0.01,
    epochs: int = 1,
    seed: int = 0,
) -> _Array:
    """weights -= learning_rate * mean((x @ weights - target) * x) over a batch; all weights.

    All samples at once (None) are batch gradient descent, one sample stochastic gradient descent,
    anything between mini-batch gradient descent. In an epoch every sample (a row of x) has its
    turn, in an order that is drawn anew.
    """
    path, seeds = [weights], random.SeedGenerator(seed)
    size = batch_size or len(x)
    for _ in range(epochs):
        order = random.shuffle(np.arange(len(x)), seed=seeds)
        for start in range(0, len(x), size):
            rows = order[start : start + size]
            error = x[rows] @ path[-1] - targets[rows]
            path.append(path[-1] - learning_rate * (error @ x[rows]) / len(rows))
    return np.stack(path)


def momentum_descent(
    x: _Array,
    gradient: Callable[[_Array], _Array],
    learning_rate: float = 0.01,
    momentum: float = 0.9,
    steps: int = 100,
) -> _Array:
    """velocity = momentum * velocity - learning_rate * gradient(x); x += velocity; all x.

    A ball on a slope: it gains speed until friction, 1 - momentum, takes as much as the slope
    gives, at a velocity of learning_rate * gradient / (1 - momentum). It rolls on through dents,
    and past the lowest point.
    """
    path, velocity = [x], 0
    for _ in range(steps):
        velocity = momentum * velocity - learning_rate * gradient(path[-1])
        path.append(path[-1] + velocity)
    return np.stack(path)


def bowl(x: _Array) -> _Forward:
    """y = x[0]² / 20 + x[1]², for points x (..., 2): an elongated bowl, lowest at the origin.

    Its gradient hardly ever points there. Source: Saitoh, Deep Learning from the Basics.
    """
    far, near = x[..., 0], x[..., 1]

    def backward(dy):
        return np.stack([dy * far / 10, dy * 2 * near], axis=-1)

    return far * far / 20 + near * near, backward


def bowl_path(start: _Array, optimizer: str, settings: dict[str, Any], steps: int = 30) -> _Array:
    """The points, start first, to which an optimizer moves in the bowl; SGD zigzags.

    optimizer names a class of optimizers, settings are its arguments.
    """
    rule, point = getattr(optimizers, optimizer)(**settings), start.copy()
    path = [start]
    for _ in range(steps):
        height, backward = bowl(point)
        rule.apply([backward(np.ones_like(height))], [point])
        path.append(point.copy())
    return np.stack(path)
