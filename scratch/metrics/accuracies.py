"""Accuracies: how often a prediction is right. Functions judge each sample, classes average."""

import numpy as np

from scratch import config
from scratch.losses.per_sample import check_shapes, squeeze_or_expand_to_same_rank

from .metric import MeanMetricWrapper


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


class Accuracy(MeanMetricWrapper):
    """mean(y_pred == y_true), entry by entry, after y_true is cast to the dtype of y_pred."""

    def __init__(self, name: str | None = "accuracy", dtype: str | None = None):
        super().__init__(_accuracy, name, dtype)


def _accuracy(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true.astype(y_pred.dtype), y_pred)
    check_shapes("Accuracy", y_true, y_pred)
    return (y_true == y_pred).astype(config.floatx())


class BinaryAccuracy(MeanMetricWrapper):
    """mean(binary_accuracy(y_true, y_pred, threshold))."""

    def __init__(
        self,
        name: str | None = "binary_accuracy",
        dtype: str | None = None,
        threshold: float = 0.5,
    ):
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """mean(categorical_accuracy(y_true, y_pred)), for one-hot y_true."""

    def __init__(self, name: str | None = "categorical_accuracy", dtype: str | None = None):
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """mean(sparse_categorical_accuracy(y_true, y_pred)), for y_true of integers."""

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: str | None = None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """mean(top_k_categorical_accuracy(y_true, y_pred, k)), for one-hot y_true."""

    def __init__(
        self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: str | None = None
    ):
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
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
