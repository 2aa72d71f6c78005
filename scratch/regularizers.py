"""Penalties on large or alike weights and outputs, which the network's loss adds to itself."""

from collections.abc import Callable
from typing import Any

import numpy as np

_Forward = tuple[Any, Callable[..., np.ndarray]]


class Regularizer:
    """regularizer(x) is a penalty, regularizer.forward(x) is (penalty, backward).

    A subclass writes forward; backward(dpenalty) is the gradient of x. This one has no penalty. As
    in Keras, factors are rounded to float32 on their way to a float64 x.
    """

    def __call__(self, x: np.ndarray) -> Any:
        return self.forward(x)[0]

    def forward(self, x: np.ndarray) -> _Forward:
        return x.dtype.type(0), lambda dpenalty=1: np.zeros_like(x)


class L1(Regularizer):
    """penalty = l1 * sum(|x|), dx = l1 * sign(x), 0 where x is 0.

    It draws every number towards 0 by the same amount, small ones all the way.
    """

    def __init__(self, l1: float | None = 0.01):
        self.l1 = _factor("l1", 0.01 if l1 is None else l1)

    def forward(self, x: np.ndarray) -> _Forward:
        sign, l1 = np.sign(np.real(x)), _cast(self.l1, x)
        return l1 * np.sum(sign * x), lambda dpenalty=1: dpenalty * l1 * sign


class L2(Regularizer):
    """penalty = l2 * sum(x²), dx = 2 * l2 * x.

    It draws every number towards 0 by a share of itself: with SGD, weight decay of 2 * l2.
    """

    def __init__(self, l2: float | None = 0.01):
        self.l2 = _factor("l2", 0.01 if l2 is None else l2)

    def forward(self, x: np.ndarray) -> _Forward:
        l2 = _cast(self.l2, x)
        return l2 * np.sum(np.square(x)), lambda dpenalty=1: dpenalty * l2 * (2 * x)


class L1L2(Regularizer):
    """penalty = l1 * sum(|x|) + l2 * sum(x²), dx = l1 * sign(x) + 2 * l2 * x."""

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0):
        self.l1, self.l2 = _factor("l1", l1 or 0.0), _factor("l2", l2 or 0.0)

    def forward(self, x: np.ndarray) -> _Forward:
        penalty_1, backward_1 = L1(self.l1).forward(x)
        penalty_2, backward_2 = L2(self.l2).forward(x)

        def backward(dpenalty=1):
            return backward_1(dpenalty) + backward_2(dpenalty)

        return penalty_1 + penalty_2, backward


class OrthogonalRegularizer(Regularizer):
    """penalty = factor * mean(|cosine|) over all pairs of rows of x (n, i), or of its columns.

    With rows = x / ‖x‖ and cosines = rows @ rows.T without its diagonal,
    dcosines = factor * sign(cosines) / (n * (n - 1)), drows = 2 * dcosines @ rows and
    dx = (drows - rows * sum(drows * rows)) / ‖x‖. Norms below 1e-7 count as 1e-7.

    In Keras it fails on float64, since it keeps its factor as a float32 tensor. ValueError for an x
    that is no matrix, or has no pair: Keras's penalty is NaN then.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows"):
        if mode not in ("rows", "columns"):
            raise ValueError(f"mode is 'rows' or 'columns', not {mode!r}")
        self.factor = _factor("factor", factor)
        self.mode = mode

    def forward(self, x: np.ndarray) -> _Forward:
        if x.ndim != 2 or x.shape[self.mode == "columns"] < 2:
            raise ValueError(f"OrthogonalRegularizer takes a matrix of {self.mode}, not {x.shape}")
        rows, backward_rows = _unit_rows(x if self.mode == "rows" else x.T)
        pairs = len(rows) * (len(rows) - 1) / 2
        cosines = rows @ rows.T * (1 - np.eye(len(rows), dtype=np.real(x).dtype))
        sign, factor = np.sign(np.real(cosines)), _cast(self.factor, x)

        def backward(dpenalty=1):
            dcosines = dpenalty * factor * 0.5 / pairs * sign
            dx = backward_rows(2 * dcosines @ rows)
            return dx if self.mode == "rows" else dx.T

        return factor * 0.5 * np.sum(sign * cosines) / pairs, backward


def get(identifier: Any) -> Regularizer | None:
    """The regularizer of that name or class; a Regularizer is taken as it is, and so is None.

    A function of one's own takes x and returns (penalty, backward).
    """
    if identifier is None or isinstance(identifier, Regularizer):
        return identifier
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return _Function(identifier)
    if identifier not in list(_CLASS_OF_NAME):
        names = ", ".join(_CLASS_OF_NAME)
        raise ValueError(f"a regularizer is one of {names}, not {identifier!r}")
    return _CLASS_OF_NAME[identifier]()


class _Function(Regularizer):
    def __init__(self, function: Callable[..., Any]):
        self.function = function

    def forward(self, x: np.ndarray) -> _Forward:
        return self.function(x)


_CLASS_OF_NAME = {
    "Regularizer": Regularizer,
    "regularizer": Regularizer,
    "L1": L1,
    "l1": L1,
    "L2": L2,
    "l2": L2,
    "L1L2": L1L2,
    "l1l2": L1L2,
    "OrthogonalRegularizer": OrthogonalRegularizer,
    "orthogonal_regularizer": OrthogonalRegularizer,
}


def _unit_rows(x: np.ndarray) -> _Forward:
    """rows = x / ‖x‖, drows -> dx, with norms below 1e-7 taken for 1e-7, a constant."""
    square_sums = np.sum(x * x, axis=1, keepdims=True)
    is_long = np.real(square_sums) > 1e-14
    norms = np.where(is_long, np.sqrt(square_sums), x.dtype.type(1e-7))
    rows = x / norms

    def backward(drows):
        along = np.sum(drows * rows, axis=1, keepdims=True) * is_long
        return (drows - rows * along) / norms

    return rows, backward


def _cast(factor: float, x: np.ndarray) -> Any:
    return np.real(x).dtype.type(np.float32(factor))


def _factor(name: str, value: Any) -> float:
    is_number = isinstance(value, int | float | np.number)
    if not is_number or not np.isfinite(value) or value < 0:
        raise ValueError(f"{name} is a finite number from 0, not {value!r}")
    return float(value)
