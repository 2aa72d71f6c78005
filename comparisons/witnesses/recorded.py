"""The tape: what TensorFlow says of the reference."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from .arrays import Arrays


def tape(
    function: Callable,
    arrays: Arrays,
    positions: Sequence[int],
    variables: Mapping[int, Any] = MappingProxyType({}),
) -> tuple[list[np.ndarray], Callable[[Arrays], list[np.ndarray]]]:
    """(values, backward): tf.GradientTape on function(*tensors), unconnected gradients zero.

    backward(dys) can be called once. Arrays at the positions of `variables` are assigned to these
    and not passed.
    """
    import tensorflow as tf

    tensors = [tf.convert_to_tensor(array) for array in arrays]
    for position, variable in variables.items():
        variable.assign(tensors[position])
    sources = [variables.get(position, tensors[position]) for position in positions]
    with tf.GradientTape() as recorder:
        recorder.watch(sources)
        passed = [tensor for position, tensor in enumerate(tensors) if position not in variables]
        values = tf.nest.flatten(function(*passed))
    if any(isinstance(value, np.ndarray) for value in values):
        raise TypeError("it returns NumPy's arrays, which no tape follows, not tensors")

    def backward(dys):
        upstream = [tf.cast(dy, value.dtype) for dy, value in zip(dys, values, strict=True)]
        zeros = tf.UnconnectedGradients.ZERO
        gradients = recorder.gradient(values, sources, upstream, unconnected_gradients=zeros)
        return [np.asarray(tf.convert_to_tensor(gradient)) for gradient in gradients]

    return [np.asarray(value) for value in values], backward
