"""Where weights have to stay: constraint(w) is the weight after each update, brought back there."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import config

_Axis = int | Sequence[int]


class Constraint:
    """constraint(w) is the weight that takes the place of w after each update: here w itself.

    The norms of the constraints below are sums along axis, 0 for the inputs of each unit of a
    dense layer, [0, 1, 2] for those of each filter of a convolution. As in Keras, 1e-7 is added to
    norms before they divide, which shortens by so much even weights that are within their bounds.
    """

    def __call__(self, w: np.ndarray) -> np.ndarray:
        return w


class MaxNorm(Constraint):
    """w * min(‖w‖, max_value) / (‖w‖ + 1e-7)."""

    def __init__(self, max_value: float = 2, axis: _Axis = 0):
        self.max_value = _bound("max_value", max_value)
        self.axis = axis

    def __call__(self, w: np.ndarray) -> np.ndarray:
        norms = _norms(w, self.axis)
        return w * (np.clip(norms, 0, self.max_value) / (config.epsilon() + norms))


class NonNeg(Constraint):
    """max(w, 0)."""

    def __call__(self, w: np.ndarray) -> np.ndarray:
        return np.maximum(w, 0)


class UnitNorm(Constraint):
    """w / (‖w‖ + 1e-7)."""

    def __init__(self, axis: _Axis = 0):
        self.axis = axis

    def __call__(self, w: np.ndarray) -> np.ndarray:
        return w / (config.epsilon() + _norms(w, self.axis))


class MinMaxNorm(Constraint):
    """w * (rate * clip(‖w‖, min_value, max_value) + (1 - rate) * ‖w‖) / (‖w‖ + 1e-7).

    A rate below 1 goes that share of the way at each update.
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: _Axis = 0,
    ):
        self.min_value = _bound("min_value", min_value)
        self.max_value = _bound("max_value", max_value)
        if min_value > max_value:
            raise ValueError(f"min_value {min_value} is above max_value {max_value}")
        self.rate = _bound("rate", rate)
        self.axis = axis

    def __call__(self, w: np.ndarray) -> np.ndarray:
        norms = _norms(w, self.axis)
        desired = self.rate * np.clip(norms, self.min_value, self.max_value)
        desired += (1 - self.rate) * norms
        return w * (desired / (config.epsilon() + norms))


def get(identifier: Any) -> Any:
    """The constraint of that name or class; what is callable is taken as it is, and so is None."""
    if isinstance(identifier, type):
        return identifier()
    if identifier is None or callable(identifier):
        return identifier
    if identifier not in list(_CLASS_OF_NAME):
        names = ", ".join(_CLASS_OF_NAME)
        raise ValueError(f"a constraint is one of {names}, not {identifier!r}")
    return _CLASS_OF_NAME[identifier]()


_CLASS_OF_NAME = {
    "Constraint": Constraint,
    "constraint": Constraint,
    "MaxNorm": MaxNorm,
    "max_norm": MaxNorm,
    "NonNeg": NonNeg,
    "non_neg": NonNeg,
    "UnitNorm": UnitNorm,
    "unit_norm": UnitNorm,
    "MinMaxNorm": MinMaxNorm,
    "min_max_norm": MinMaxNorm,
}


def _norms(w: np.ndarray, axis: _Axis) -> np.ndarray:
    axes = axis if isinstance(axis, int) else tuple(axis)
    return np.sqrt(np.sum(np.square(w), axis=axes, keepdims=True))


def _bound(name: str, value: Any) -> Any:
    if not isinstance(value, int | float | np.number) or not value >= 0:
        raise ValueError(f"{name} is a number from 0, not {value!r}")
    return value
