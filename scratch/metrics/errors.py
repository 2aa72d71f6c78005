"""Errors of regression, and how much of the truth's variance a prediction explains."""

import warnings
from typing import Any

import numpy as np

from scratch import config, losses
from scratch.losses.per_sample import check_shapes, squeeze_or_expand_to_same_rank

from .metric import Mean, MeanMetricWrapper, Metric, repeated


class MeanSquaredError(MeanMetricWrapper):
    """mean((y_pred - y_true)²)."""

    def __init__(self, name: str | None = "mean_squared_error", dtype: str | None = None):
        super().__init__(_value_of(losses.mean_squared_error), name, dtype)


class RootMeanSquaredError(Mean):
    """sqrt(mean((y_pred - y_true)²)), the root of the mean over all batches."""

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: str | None = None):
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = squeeze_or_expand_to_same_rank(
            np.asarray(y_true, self.dtype), np.asarray(y_pred, self.dtype)
        )
        check_shapes("RootMeanSquaredError", y_true, y_pred)
        super().update_state((y_pred - y_true) ** 2, sample_weight)

    def result(self) -> np.floating:
        return np.sqrt(super().result())


class MeanAbsoluteError(MeanMetricWrapper):
    """mean(|y_pred - y_true|)."""

    def __init__(self, name: str | None = "mean_absolute_error", dtype: str | None = None):
        super().__init__(_value_of(losses.mean_absolute_error), name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """mean(100 * |y_pred - y_true| / |y_true|), where |y_true| is at least epsilon."""

    def __init__(
        self, name: str | None = "mean_absolute_percentage_error", dtype: str | None = None
    ):
        super().__init__(_value_of(losses.mean_absolute_percentage_error), name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """mean((log(y_pred + 1) - log(y_true + 1))²), where both are at least epsilon."""

    def __init__(
        self, name: str | None = "mean_squared_logarithmic_error", dtype: str | None = None
    ):
        super().__init__(_value_of(losses.mean_squared_logarithmic_error), name, dtype)


class LogCoshError(MeanMetricWrapper):
    """mean(log(cosh(y_pred - y_true)))."""

    def __init__(self, name: str | None = "logcosh", dtype: str | None = None):
        super().__init__(_value_of(losses.log_cosh), name, dtype)


class CosineSimilarity(MeanMetricWrapper):
    """mean(sum(y_true / |y_true| * y_pred / |y_pred|)), the sum over axis: the loss negated."""

    def __init__(
        self, name: str | None = "cosine_similarity", dtype: str | None = None, axis: int = -1
    ):
        super().__init__(_cosine_similarity, name, dtype, axis=axis)


def _value_of(loss):
    """The loss function without its gradient."""
    return lambda y_true, y_pred: loss(y_true, y_pred)[0]


def _cosine_similarity(y_true: np.ndarray, y_pred: np.ndarray, axis: int) -> np.ndarray:
    return -losses.cosine_similarity(y_true, y_pred, axis)[0]


class R2Score(Metric):
    """1 - sum((y_true - y_pred)²) / sum((y_true - mean(y_true))²), for y_true (n, outputs).

    class_aggregation is "uniform_average" or "variance_weighted_average" over the outputs, or None
    for a score of each. With num_regressors p it is adjusted: 1 - (1 - r2) * (n - 1) / (n - p - 1),
    where as in Keras n is the number of entries of y_true, of all outputs together; for p >= n - 1
    a warning says that it is not. A constant y_true makes 0, or NaN if it is met.
    As in Keras, a batch is summed in dtype, and all batches in floatx.
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: str | None = None,
    ):
        super().__init__(dtype, name)
        aggregations = ("uniform_average", "variance_weighted_average", None)
        if class_aggregation not in aggregations:
            raise ValueError(f"class_aggregation is one of {aggregations}, not {class_aggregation}")
        if num_regressors < 0:
            raise ValueError(f"num_regressors is at least 0, not {num_regressors}")
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.reset_state()

    def reset_state(self) -> None:
        self.num_samples = 0
        self.sums = np.zeros((4, 1), config.floatx())

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = np.asarray(y_true, self.dtype), np.asarray(y_pred, self.dtype)
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        check_columns("R2Score", y_true, y_pred, self.sums.shape[1])
        weight = np.asarray(1 if sample_weight is None else sample_weight, self.dtype)
        weight = weight[:, np.newaxis] if weight.ndim == 1 else weight
        weight = repeated(weight, y_true.shape)
        weighted = y_true * weight
        terms = weighted, y_true * weighted, (y_true - y_pred) ** 2 * weight, weight
        self.sums = (self.sums + [np.sum(term, axis=0) for term in terms]).astype(config.floatx())
        self.num_samples += y_true.size

    def result(self) -> np.ndarray | np.floating:
        total, squares, residual, count = self.sums
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = squares - total * (total / count)
            scores = 1 - residual / variance
            scores = np.where(np.isinf(scores), 0, scores)
            if self.class_aggregation == "uniform_average":
                scores = np.mean(scores)
            elif self.class_aggregation == "variance_weighted_average":
                scores = np.sum(variance * scores) / np.sum(variance)
        return self._adjusted(scores)

    def _adjusted(self, score):
        if not self.num_regressors:
            return score
        degrees = self.num_samples - self.num_regressors - 1
        if degrees <= 0:
            warnings.warn(
                f"{self.num_regressors} regressors leave {self.num_samples} samples no degree of "
                "freedom: the R2 score is not adjusted",
                stacklevel=3,
            )
            return score
        return 1 - (1 - score) * (self.num_samples - 1) / degrees


def check_columns(name: str, y_true: np.ndarray, y_pred: np.ndarray, seen: int) -> None:
    """ValueError for what has no columns, or not as many as were `seen`, 1 at the start."""
    if y_true.ndim != 2 or y_pred.shape != y_true.shape:
        raise ValueError(
            f"{name} takes y_true and y_pred of one shape (n, outputs), not {y_true.shape} and "
            f"{y_pred.shape}"
        )
    if seen not in (1, y_pred.shape[1]):
        raise ValueError(f"{name} has seen {seen} outputs, and now {y_pred.shape[1]}")
