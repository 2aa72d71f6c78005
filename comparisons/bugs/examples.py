"""Small right functions for bugs that no function of scratch can have: steps, loops, wholes.

Each returns (value, backward), and is judged by the derivative of its own forward pass.
"""

import numpy as np

EARLIER = np.array([8.5, 0.65, 1.2])  # left over from an earlier example, as notebooks do


def prediction_error(inputs, weights, target):
    """y = (inputs · weights - target)², and its gradient by inputs and weights."""
    error = inputs @ weights - target

    def backward(dy):
        derror = dy * 2 * error
        return derror * weights, derror * inputs, -derror

    return error**2, backward


def two_layers(x, kernel, kernel_2):
    """y = relu(x @ kernel) @ kernel_2."""
    hidden = x @ kernel
    hidden = hidden * (hidden.real > 0)

    def backward(dy):
        dhidden = dy @ kernel_2.T * (hidden.real > 0)
        return dhidden @ kernel.T, x.T @ dhidden, hidden.T @ dy

    return hidden @ kernel_2, backward


def squared_error_step(x, kernel, target):
    """y = sum((x @ kernel - target)²) for each sample, and its gradient by x and kernel."""
    delta = x @ kernel - target

    def backward(dy):
        ddelta = dy[:, np.newaxis] * 2 * delta
        return ddelta @ kernel.T, x.T @ ddelta, -ddelta

    return (delta**2).sum(axis=1), backward


def multiply(x):
    """y = factor * x, by a node that keeps its factor."""

    class Multiply:
        def __init__(self):
            self.factor = 3.0

        def forward(self, x):
            return self.factor * x

        def backward(self, dy):
            return self.factor * dy

    node = Multiply()
    return node.forward(x), node.backward


def cost(y_true, y_pred):
    """value = mean((y_pred - y_true)²), for y_true (n,) and y_pred (n, 1)."""
    error = y_pred - y_true.reshape(y_pred.shape)

    def backward(dvalue):
        return dvalue * 2 * error.sum(axis=1, keepdims=True) / error.size

    return (error**2).mean(), backward


def residual(x, kernel):
    """y = x + tanh(x @ kernel)."""
    branch = np.tanh(x @ kernel)

    def backward(dy):
        dbranch = dy * (1 - branch * branch)
        return dy + dbranch @ kernel.T, x.T @ dbranch

    return x + branch, backward


def tied_autoencoder(x, kernel):
    """y = tanh(x @ kernel) @ kernel.T: one kernel, used twice."""
    code = np.tanh(x @ kernel)

    def backward(dy):
        dcode = dy @ kernel * (1 - code * code)
        return dcode @ kernel.T, x.T @ dcode + dy.T @ code

    return code @ kernel.T, backward


def penalised_error(x, kernel, target, l2):
    """y = sum((x @ kernel - target)²) + l2 * sum(kernel²), Keras's L2 penalty without a half."""
    error = x @ kernel - target

    def backward(dy):
        derror = dy * 2 * error
        return derror @ kernel.T, x.T @ derror + dy * 2 * l2 * kernel, -derror

    return (error**2).sum() + l2 * (kernel**2).sum(), backward


def power(x, exponent):
    """y = x ** exponent, for x above zero."""
    y = x**exponent
    return y, lambda dy: dy * exponent * x ** (exponent - 1)


def outer_sum(rows, columns):
    """y[i, j] = rows[i] + columns[j]."""
    y = rows[:, np.newaxis] + columns
    return y, lambda dy: (dy.sum(axis=1), dy.sum(axis=0))


def running_sum(x):
    """y[:, t] = x[:, 0] + … + x[:, t]."""
    return np.cumsum(x, axis=1), lambda dy: np.cumsum(dy[:, ::-1], axis=1)[:, ::-1]
