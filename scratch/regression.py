"""Regression: a line through numbers, solved for and descended to, and one between classes."""

import functools
from collections.abc import Callable

import numpy as np

from . import activations, descent, losses, perceptrons

_Array = np.ndarray
_Forward = tuple[_Array, Callable[[_Array], tuple[_Array, ...]]]


def linear_regression(x: _Array, kernel: _Array, bias: _Array) -> _Forward:
    """y = x @ kernel + bias, for x (n, i), kernel (i,): one number for each sample."""
    z, backward_sum = perceptrons.weighted_sum(x, kernel)
    return z + bias, lambda dy: (*backward_sum(dy), dy.sum())


def logistic_regression(x: _Array, kernel: _Array, bias: _Array) -> _Forward:
    """y = sigmoid(linear_regression(x, kernel, bias)): the probability of class 1.

    It is 1/2 on the line x @ kernel + bias = 0, and above on one side of it. So it separates blobs
    as a perceptron does, but no two moons that reach around one another.
    """
    logits, backward_linear = linear_regression(x, kernel, bias)
    y, backward_sigmoid = activations.sigmoid(logits)
    return y, lambda dy: backward_linear(backward_sigmoid(dy))


def normal_equations(x: _Array, y: _Array) -> _Forward:
    """weights = solve(x.T @ x, x.T @ y): the kernel, then the bias, of least squared error.

    x (n, i) gains a column of ones, whose weight is the bias; y is (n,). With a solution s of
    x.T @ x @ s = dweights: dy = x @ s, dx = (y - x @ weights) s.T - dy weights.T, outer products.
    """
    ones = np.ones((len(x), 1), x.dtype)
    columns = np.concatenate([x, ones], axis=1)
    squares = columns.T @ columns
    weights = np.linalg.solve(squares, columns.T @ y)
    residuals = y - columns @ weights

    def backward(dweights):
        s = np.linalg.solve(squares, dweights)
        dy = columns @ s
        return (np.outer(residuals, s) - np.outer(dy, weights))[:, :-1], dy

    return weights, backward


def descend_linear_regression(
    x: _Array, y: _Array, learning_rate: float = 0.1, steps: int = 100
) -> _Array:
    """weights -= learning_rate * the gradient of the mean squared error, from zeros.

    Returns all weights, each the kernel, then the bias. It ends where normal_equations is at once.
    """
    return _descend(losses.mean_squared_error, x, y, learning_rate, steps)


def descend_logistic_regression(
    x: _Array, y: _Array, learning_rate: float = 1.0, steps: int = 100
) -> _Array:
    """weights -= learning_rate * the gradient of the binary cross-entropy; otherwise as above.

    By the logits, that gradient is (logistic_regression(x, kernel, bias) - y) / n. No equations
    give the weights at once; where a line separates the classes, they grow for ever.
    """
    loss = functools.partial(losses.binary_crossentropy, from_logits=True)
    return _descend(loss, x, y, learning_rate, steps)


def _descend(loss, x, y, learning_rate, steps):
    def gradient(weights):
        prediction, backward = linear_regression(x, weights[:-1], weights[-1])
        _, backward_loss = loss(y, prediction)
        _, dkernel, dbias = backward(backward_loss(np.ones((), x.dtype)))
        return np.append(dkernel, dbias)

    start = np.zeros(x.shape[1] + 1, x.dtype)
    return descent.gradient_descent(start, gradient, learning_rate, steps)
