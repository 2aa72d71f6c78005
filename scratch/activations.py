"""Activations: what a layer does to each weighted sum, and to the gradient on its way back."""

from collections import abc

import numpy as np

_Forward = tuple[np.ndarray, abc.Callable[[np.ndarray], np.ndarray]]


def linear(x: np.ndarray) -> _Forward:
    """y = x, dx = dy."""
    return x, lambda dy: dy


def relu(
    x: np.ndarray,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> _Forward:
    """y = min(x, max_value) above threshold, negative_slope * (x - threshold) below it.

    dx = dy at max_value itself, 0 at threshold. Keras computes some cases apart, and scratch too:
    - negative_slope alone is leaky_relu, which has the slope at 0 as well, rounded to float32;
    - max_value=6 without a threshold is relu6, with dx = 0 at 6;
    - max_value with a threshold below 0 also raises negative x above the threshold to 0.
    threshold and max_value are rounded to float32, except where negative_slope * (x - threshold)
    begins.
    """
    if max_value is None and threshold == 0:
        return _leaky_relu(x, negative_slope) if negative_slope else _relu(x)
    y, backward = _clipped_relu(x, max_value, threshold)
    if negative_slope == 0:
        return y, backward
    below, backward_below = _relu(threshold - x)
    return y - negative_slope * below, lambda dy: backward(dy) + negative_slope * backward_below(dy)


def _relu(x: np.ndarray) -> _Forward:
    """y = max(x, 0), dx = dy where y > 0."""
    if np.iscomplexobj(x):
        y = np.where(np.real(x) > 0, x, 0)
    else:
        y = np.clip(x, 0, np.inf)  # in float32 faster than np.maximum(x, 0)
    return y, lambda dy: dy * (np.real(y) > 0)


def _leaky_relu(x: np.ndarray, negative_slope: float) -> _Forward:
    """y = x where x > 0 else negative_slope * x."""
    slope = np.where(np.real(x) > 0, 1, np.float32(negative_slope)).astype(np.real(x).dtype)
    return x * slope, lambda dy: dy * slope


def _clipped_relu(x: np.ndarray, max_value: float | None, threshold: float) -> _Forward:
    """y = min(x, max_value) where x > threshold else 0."""
    passes = np.real(x) > np.float32(threshold)
    y = np.where(passes, x, 0) if threshold else _relu(x)[0]
    if max_value is not None:
        if max_value < 0:
            raise ValueError(f"relu needs a max_value of at least 0, not {max_value}")
        ceiling = np.real(x).dtype.type(np.float32(max_value))
        is_relu6 = max_value == 6 and threshold == 0
        passes &= (np.real(x) >= 0) & (np.real(x) < ceiling if is_relu6 else np.real(x) <= ceiling)
        y = np.where(np.real(y) > ceiling, ceiling, np.where(np.real(y) < 0, 0, y))
    return y, lambda dy: dy * passes


def sigmoid(x: np.ndarray) -> _Forward:
    """y = 1 / (1 + exp(-x)), dx = dy * y * (1 - y)."""
    if np.iscomplexobj(x):
        y = _complex_sigmoid(x)
    else:
        with np.errstate(over="ignore"):  # where exp(-x) is infinite, y = 0 is right
            y = 1 / (1 + np.exp(-x))
    return y, lambda dy: dy * y * (1 - y)


def _complex_sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)) without the infinity, by which complex numbers do not divide."""
    negative = np.real(x) < 0
    decay = np.exp(np.where(negative, x, -x))
    return np.where(negative, decay, 1) / (1 + decay)


def tanh(x: np.ndarray) -> _Forward:
    """y = tanh(x), dx = dy * (1 - y²)."""
    y = np.tanh(x)
    return y, lambda dy: dy * (1 - y * y)


def softmax(x: np.ndarray, axis: int | tuple[int, ...] | None = -1) -> _Forward:
    """y = exp(x) / sum(exp(x)), dx = y * (dy - sum(dy * y)), sums over axis (None: all axes)."""
    y = np.exp(_shifted(x, axis))
    y /= y.sum(axis, keepdims=True)

    def backward(dy):
        return y * (dy - (dy * y).sum(axis, keepdims=True))

    return y, backward


def log_softmax(x: np.ndarray, axis: int | tuple[int, ...] | None = -1) -> _Forward:
    """y = x - log(sum(exp(x))), dx = dy - exp(y) * sum(dy), sums over axis (None: all axes)."""
    shifted = _shifted(x, axis)
    y = shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))

    def backward(dy):
        return dy - np.exp(y) * dy.sum(axis, keepdims=True)

    return y, backward


def _shifted(x: np.ndarray, axis: int | tuple[int, ...] | None) -> np.ndarray:
    """x - max(x): the shift cancels in a softmax; it keeps exp from overflowing."""
    return x - np.real(x).max(axis, keepdims=True)


_BY_NAME = {
    function.__name__: function for function in (linear, log_softmax, relu, sigmoid, softmax, tanh)
}


def get(identifier: str | abc.Callable | None) -> abc.Callable:
    """The activation of that name; None is linear, and a function is taken as it is.

    A function of one's own takes x and returns (y, backward). ValueError for an unknown name.
    """
    if identifier is None:
        return linear
    if callable(identifier):
        return identifier
    if identifier not in list(_BY_NAME):
        raise ValueError(f"unknown activation {identifier!r}: choose from {', '.join(_BY_NAME)}")
    return _BY_NAME[identifier]
