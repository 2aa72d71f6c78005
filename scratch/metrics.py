"""Metrics: functions judge each sample; their classes average over all batches since a reset."""

from collections import abc
from typing import Any

import numpy as np

from scratch import config
from scratch.losses.functions import check_shapes, squeeze_or_expand_to_same_rank
from scratch.losses.loss import snake_case


def binary_accuracy(y_true: np.ndarray, y_pred: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """1 where (y_pred > threshold) == y_true else 0, for each entry; threshold is a float32."""
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    check_shapes("binary_accuracy", y_true, y_pred)
    return ((y_pred > np.float32(threshold)) == y_true).astype(config.floatx())


def categorical_accuracy(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """1 where argmax(y_pred) == argmax(y_true) else 0, for one-hot y_true (..., classes)."""
    check_shapes("categorical_accuracy", y_true, y_pred)
    return (_argmax(y_true) == _argmax(y_pred)).astype(config.floatx())


def sparse_categorical_accuracy(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """1 where argmax(y_pred) == y_true else 0, for y_true (...) or (..., 1) of integers."""
    _check_labels("sparse_categorical_accuracy", y_true, y_pred)
    predicted = _argmax(y_pred).reshape(y_true.shape)
    matches = (y_true == predicted).astype(config.floatx())
    return matches[..., 0] if matches.ndim > 1 and matches.shape[-1] == 1 else matches


def top_k_categorical_accuracy(y_true: np.ndarray, y_pred: np.ndarray, k: int = 5) -> np.ndarray:
    """1 where fewer than k scores exceed that of argmax(y_true) else 0, for one-hot y_true."""
    check_shapes("top_k_categorical_accuracy", y_true, y_pred)
    return sparse_top_k_categorical_accuracy(_argmax(y_true), y_pred, k)


def sparse_top_k_categorical_accuracy(
    y_true: np.ndarray, y_pred: np.ndarray, k: int = 5, from_sorted_ids: bool = False
) -> np.ndarray:
    """1 where fewer than k of the scores y_pred (..., classes) exceed the score of y_true else 0.

    So classes that tie for place k are all among the top k. A row of scores with any infinity or
    NaN, and a label without a score, make 0. With from_sorted_ids y_pred holds classes, the best
    first, and what is asked is whether y_true is among the first k.
    """
    _check_labels("sparse_top_k_categorical_accuracy", y_true, y_pred)
    labels, rows = y_true.reshape(-1, 1), y_pred.reshape(-1, y_pred.shape[-1])
    if from_sorted_ids:
        matches = (rows[:, :k] == labels).any(axis=-1)
    else:
        matches = _in_top_k(labels.astype(np.int64), rows, k)
    return matches.reshape(y_true.shape).astype(config.floatx())


def _in_top_k(labels: np.ndarray, scores: np.ndarray, k: int) -> np.ndarray:
    """For labels (n, 1) and scores (n, classes), as tf.math.in_top_k."""
    classes = scores.shape[-1]
    known = (0 <= labels[:, 0]) & (labels[:, 0] < classes)
    score = np.take_along_axis(scores, labels.clip(0, classes - 1), axis=-1)
    return known & np.isfinite(scores).all(axis=-1) & ((scores > score).sum(axis=-1) < k)


def _argmax(x: np.ndarray) -> np.ndarray:
    """The first index of the largest entry; as in Keras NaN is -inf, and -0.0 less than 0.0."""
    if x.dtype.kind == "f":
        x = np.where(np.isnan(x), -np.inf, x)
        x = np.where((x == 0) & np.signbit(x), -np.finfo(x.dtype).tiny, x)
    return np.argmax(x, axis=-1)


def _check_labels(name: str, y_true: np.ndarray, y_pred: np.ndarray) -> None:
    samples = y_pred.shape[:-1]
    if not y_pred.shape or y_true.shape not in (samples, (*samples, 1)):
        raise ValueError(
            f"{name} takes integers y_true of shape {samples} with y_pred of shape "
            f"{y_pred.shape}, not {y_true.shape}"
        )


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
            values, weight = _weighed(values, np.asarray(sample_weight, self.dtype))
            self.count += _per_sample(weight).sum()
        values = _per_sample(values)
        self.total += values.sum()
        if sample_weight is None:
            self.count += values.size

    def result(self) -> np.floating:
        return self.total / self.count if self.count else self.count


def _per_sample(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=tuple(range(1, values.ndim)))


def _weighed(values: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """values * weight with values averaged to the rank of weight, and weight in that shape."""
    aligned, weight = squeeze_or_expand_to_same_rank(values, weight)
    means = aligned.mean(axis=tuple(range(weight.ndim, aligned.ndim)))
    try:
        weight = np.broadcast_to(weight, means.shape)
    except ValueError:
        raise ValueError(
            f"sample_weight of shape {weight.shape} does not fit values of shape {values.shape}"
        ) from None
    return means * weight, weight


class _MeanMetricWrapper(Mean):
    """The mean of function(y_true, y_pred, **arguments): Keras's MeanMetricWrapper."""

    def __init__(
        self,
        function: abc.Callable[..., Any],
        name: str | None = None,
        dtype: str | None = None,
        **arguments: Any,
    ):
        super().__init__(name, dtype)
        self._function = function
        self._arguments = arguments

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        values = self._function(np.asarray(y_true), np.asarray(y_pred), **self._arguments)
        super().update_state(values, sample_weight)


class Accuracy(_MeanMetricWrapper):
    """mean(y_pred == y_true), entry by entry, after y_true is cast to the dtype of y_pred."""

    def __init__(self, name: str | None = "accuracy", dtype: str | None = None):
        super().__init__(_accuracy, name, dtype)


def _accuracy(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true.astype(y_pred.dtype), y_pred)
    check_shapes("Accuracy", y_true, y_pred)
    return (y_true == y_pred).astype(config.floatx())


class BinaryAccuracy(_MeanMetricWrapper):
    """mean(binary_accuracy(y_true, y_pred, threshold))."""

    def __init__(
        self,
        name: str | None = "binary_accuracy",
        dtype: str | None = None,
        threshold: float = 0.5,
    ):
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(_MeanMetricWrapper):
    """mean(categorical_accuracy(y_true, y_pred)), for one-hot y_true."""

    def __init__(self, name: str | None = "categorical_accuracy", dtype: str | None = None):
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(_MeanMetricWrapper):
    """mean(sparse_categorical_accuracy(y_true, y_pred)), for y_true of integers."""

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: str | None = None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(_MeanMetricWrapper):
    """mean(top_k_categorical_accuracy(y_true, y_pred, k)), for one-hot y_true."""

    def __init__(
        self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: str | None = None
    ):
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(_MeanMetricWrapper):
    """mean(sparse_top_k_categorical_accuracy(y_true, y_pred, k, from_sorted_ids))."""

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: str | None = None,
        from_sorted_ids: bool = False,
    ):
        super().__init__(
            sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids
        )


_CLASSES = (
    Mean,
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    TopKCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
)
_BY_NAME = {snake_case(cls.__name__): cls for cls in _CLASSES} | {
    cls.__name__: cls for cls in _CLASSES
}


def get(identifier: Any) -> Metric | None:
    """The metric of that name, class or function; a Metric is taken as it is, and so is None.

    A function of one's own takes y_true and y_pred and returns a value per sample; its mean is the
    metric. ValueError for an unknown name.
    """
    if identifier is None or isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return _MeanMetricWrapper(identifier, getattr(identifier, "__name__", None))
    if identifier not in list(_BY_NAME):
        raise ValueError(f"unknown metric {identifier!r}: choose from {', '.join(_BY_NAME)}")
    return _BY_NAME[identifier]()


def _resolve_accuracy(y_true: np.ndarray, y_pred: np.ndarray, name: str = "accuracy") -> Metric:
    """What "accuracy" means to compile, by the shapes: binary, sparse or categorical accuracy."""
    if y_pred.shape[-1] == 1:
        return BinaryAccuracy(name)
    if y_true.ndim < y_pred.ndim or y_true.shape[-1] == 1:
        return SparseCategoricalAccuracy(name)
    return CategoricalAccuracy(name)
