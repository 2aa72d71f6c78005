"""Metrics: what update_state has gathered since reset_state, result tells."""

from collections import abc
from typing import Any

import numpy as np

from scratch import config
from scratch.losses.loss import snake_case
from scratch.losses.per_sample import squeeze_or_expand_to_same_rank


class Metric:
    """What a metric has: update_state with each batch, result since the last reset_state.

    Computed in dtype, or floatx if it is None. Called like a function it does the first two.
    """

    def __init__(self, dtype: str | None = None, name: str | None = None):
        self.name = name or snake_case(type(self).__name__)
        self.dtype = np.dtype(dtype or config.floatx()).name

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError

    def result(self) -> np.floating:
        raise NotImplementedError

    def reset_state(self) -> None:
        raise NotImplementedError

    def __call__(self, *args: Any, **kwargs: Any) -> np.floating:
        self.update_state(*args, **kwargs)
        return self.result()


class Sum(Metric):
    """result = sum(sample_weight * values).

    values (n, ...) are added up to as many axes as sample_weight has, weighed, then added up.
    ValueError for weights that do not fit.
    """

    total: np.floating

    def __init__(self, name: str | None = "sum", dtype: str | None = None):
        super().__init__(dtype, name)
        self.reset_state()

    def reset_state(self) -> None:
        self.total = np.dtype(self.dtype).type(0)

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values = np.asarray(values, self.dtype)
        if sample_weight is not None:
            values, _ = _weighed(values, np.asarray(sample_weight, self.dtype), np.sum)
        self.total += _per_sample(values, np.sum).sum()

    def result(self) -> np.floating:
        return self.total


class Mean(Metric):
    """result = sum(sample_weight * values) / sum(sample_weight), 0 before the first value.

    values (n, ...) are averaged to as many axes as sample_weight has, weighed, then averaged to
    one number per sample; the weights likewise. ValueError for weights that do not fit.
    """

    total: np.floating
    count: np.floating

    def __init__(self, name: str | None = "mean", dtype: str | None = None):
        super().__init__(dtype, name)
        self.reset_state()

    def reset_state(self) -> None:
        self.total = self.count = np.dtype(self.dtype).type(0)

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values = np.asarray(values, self.dtype)
        if sample_weight is not None:
            values, weight = _weighed(values, np.asarray(sample_weight, self.dtype), np.mean)
            self.count += _per_sample(weight, np.mean).sum()
        values = _per_sample(values, np.mean)
        self.total += values.sum()
        if sample_weight is None:
            self.count += values.size

    def result(self) -> np.floating:
        return self.total / self.count if self.count else self.count


def _per_sample(values: np.ndarray, reduce: abc.Callable) -> np.ndarray:
    return _reduced_behind(1, values, reduce)


def _reduced_behind(ndim: int, values: np.ndarray, reduce: abc.Callable) -> np.ndarray:
    """values with their first ndim axes alone, the others reduced."""
    axes = tuple(range(ndim, values.ndim))
    return reduce(values, axis=axes) if axes else values


def _weighed(
    values: np.ndarray, weight: np.ndarray, reduce: abc.Callable
) -> tuple[np.ndarray, np.ndarray]:
    """values * weight with values reduced to the rank of weight, and weight in that shape."""
    aligned, weight = squeeze_or_expand_to_same_rank(values, weight)
    reduced = _reduced_behind(weight.ndim, aligned, reduce)
    weight = repeated(weight, reduced.shape)
    return reduced * weight, weight


def repeated(weight: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """weight, repeated to that shape. ValueError where it does not fit."""
    try:
        return np.broadcast_to(weight, shape)
    except ValueError:
        raise ValueError(
            f"sample_weight of shape {weight.shape} does not fit values of shape {shape}"
        ) from None


class MeanMetricWrapper(Mean):
    """mean(fn(y_true, y_pred, **arguments)), for a function that returns a value per sample."""

    def __init__(
        self,
        fn: abc.Callable[..., Any],
        name: str | None = None,
        dtype: str | None = None,
        **arguments: Any,
    ):
        super().__init__(name, dtype)
        self._fn = fn
        self._arguments = arguments

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        values = self._fn(np.asarray(y_true), np.asarray(y_pred), **self._arguments)
        super().update_state(values, sample_weight)
