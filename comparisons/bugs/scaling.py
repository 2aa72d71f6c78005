"""factor * function, as a loss that is scaled makes it: its values and what backward is given."""

import functools
from collections.abc import Callable

from comparisons.gradients.contract import same


def scaled(function: Callable, factor: float) -> Callable:
    """factor * function. What its backward writes to the factor * dy it is given, dy sees."""
    if factor == 1:
        return function

    @functools.wraps(function)
    def scaled_function(*inputs, **arguments):
        value, backward = function(*inputs, **arguments)
        return _times(factor, value), _scaled_backward(backward, factor)

    return scaled_function


def _scaled_backward(backward, factor):
    def scaled_backward(dy, **arguments):
        given = dy if isinstance(dy, list) else [dy]
        upstream = [factor * part for part in given]
        gradients = backward(upstream if isinstance(dy, list) else upstream[0], **arguments)
        for part, times in zip(given, upstream, strict=True):
            if not same(times, factor * part):
                part[...] = times / factor
        return gradients

    return scaled_backward


def scaled_value(function: Callable, factor: float) -> Callable:
    """factor * function, for a function of values alone."""
    if factor == 1:
        return function
    return functools.wraps(function)(lambda *inputs, **a: _times(factor, function(*inputs, **a)))


def scaled_layer(layer: type, factor: float) -> type:
    """The class with factor * its forward, or, where it has none, factor * its call, as Keras's."""
    if factor == 1:
        return layer
    name = "forward" if hasattr(layer, "forward") else "call"
    original, scale = getattr(layer, name), scaled if name == "forward" else scaled_value
    return type(layer.__name__, (layer,), {name: scale(original, factor)})


def _times(factor, value):
    if isinstance(value, list | tuple):
        return [factor * part for part in value]
    return factor * value
