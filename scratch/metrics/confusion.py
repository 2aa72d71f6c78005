"""Confusions: predictions that exceed a threshold beside the truth, counted."""

from typing import Any

import numpy as np

from scratch import config
from scratch.losses.per_sample import check_shapes, squeeze_or_expand_to_same_rank

from .metric import Metric, repeated

_BELOW_ALL = -1e10  # the score of what is not among the top k, and the threshold it stays below


def confusion_matrix(
    labels: np.ndarray,
    predictions: np.ndarray,
    num_classes: int | None = None,
    weights: np.ndarray | None = None,
    dtype: str = "int32",
) -> np.ndarray:
    """matrix[i, j] = sum(weights where labels == i and predictions == j), weights 1 if None.

    num_classes is one more than the largest of both if it is not given. ValueError for classes
    outside [0, num_classes).
    """
    labels, predictions = (np.ravel(a).astype(np.int64) for a in (labels, predictions))
    check_shapes("confusion_matrix", labels, predictions)
    classes = np.concatenate([labels, predictions])
    if num_classes is None:
        num_classes = int(classes.max(initial=-1)) + 1
    if np.any((classes < 0) | (classes >= num_classes)):
        raise ValueError(
            f"classes must be at least 0 and below {num_classes}, "
            f"not between {classes.min()} and {classes.max()}"
        )
    matrix = np.zeros((num_classes, num_classes), dtype)
    weights = np.ones(labels.shape) if weights is None else np.ravel(weights)
    np.add.at(matrix, (labels, predictions), weights.astype(dtype))
    return matrix


def count_confusions(
    y_true: Any,
    y_pred: Any,
    thresholds: np.ndarray,
    sample_weight: Any = None,
    top_k: int | None = None,
    class_id: int | None = None,
    label_weights: np.ndarray | None = None,
    multi_label: bool = False,
) -> np.ndarray:
    """True positives, false positives, true negatives and false negatives at each threshold.

    counts (4, thresholds), or (4, thresholds, labels) with multi_label, are sums of weights.
    sample_weight has the rank of y_true, or one axis less; label_weights weigh its last axis.
    """
    dtype = config.floatx()
    y_pred, y_true = np.asarray(y_pred, dtype), np.asarray(y_true, dtype)
    y_pred, y_true = squeeze_or_expand_to_same_rank(y_pred, y_true)
    check_shapes("a confusion", y_true, y_pred)
    weight = np.asarray(1 if sample_weight is None else sample_weight, dtype)
    weight = weight if weight.ndim in (0, y_true.ndim) else weight[..., np.newaxis]
    if top_k is not None:
        y_pred = _top_k(y_pred, top_k)
    if class_id is not None:
        _check_class(class_id, y_pred.shape)
        y_true, y_pred = y_true[..., class_id, np.newaxis], y_pred[..., class_id, np.newaxis]
    if label_weights is not None:
        weight = weight * np.asarray(label_weights, dtype)
    positive, truth = _exceeds(y_pred, thresholds.astype(dtype)), y_true.astype(bool)
    weight = np.broadcast_to(repeated(weight, y_true.shape), positive.shape)
    axes = 1 if multi_label else tuple(range(1, positive.ndim))
    kinds = (positive & truth, positive & ~truth, ~positive & ~truth, ~positive & truth)
    return np.stack([np.sum(weight, axes, where=kind) for kind in kinds])


def _check_class(class_id: Any, shape: tuple[int, ...]) -> None:
    is_integer = isinstance(class_id, int | np.integer)
    if len(shape) < 2 or not is_integer or class_id not in range(-shape[-1], shape[-1]):
        raise ValueError(f"class_id {class_id!r} is no class of y_pred of shape {shape}")


def _exceeds(y_pred: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """y_pred > threshold, with an axis for the thresholds in front.

    Of thresholds that divide [0, 1] evenly Keras computes how many each prediction exceeds, which
    at the thresholds themselves may round differently; predictions are clipped to [0, 1] then.
    """
    column = (-1, *(1 for _ in y_pred.shape))
    if not _is_even(thresholds):
        return y_pred > thresholds.reshape(column)
    exceeded = np.ceil(np.clip(y_pred, 0, 1) * (len(thresholds) - 1))
    if thresholds[0] < 0 or thresholds[-1] > 1:  # 0 exceeds the first threshold of an AUC
        exceeded = np.maximum(exceeded, 1)
    return exceeded > np.arange(len(thresholds)).reshape(column)


def _is_even(thresholds: np.ndarray) -> bool:
    """Whether they divide [0, 1] evenly, up to epsilon; two do for an AUC alone."""
    count = len(thresholds)
    if count < (2 if thresholds[0] < 0 else 3):
        return False
    even = np.arange(count, dtype=np.float32) / (count - 1)
    return np.allclose(thresholds, even, atol=config.epsilon())


def _top_k(scores: np.ndarray, k: int) -> np.ndarray:
    """scores where they are among the k largest of the last axis, the first of ties first."""
    if k not in range(scores.shape[-1] + 1):
        raise ValueError(f"top_k is at most {scores.shape[-1]}, the number of scores, not {k!r}")
    best = np.argsort(-scores, axis=-1, kind="stable")[..., :k]
    filtered = np.full_like(scores, _BELOW_ALL)
    np.put_along_axis(filtered, best, np.take_along_axis(scores, best, axis=-1), axis=-1)
    return filtered


class _Confusions(Metric):
    """The confusions of all batches at some thresholds; as in Keras floatx, whatever dtype is."""

    def __init__(
        self,
        thresholds: float | list[float] | None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(dtype, name)
        if thresholds is None:
            thresholds = 0.5 if top_k is None else _BELOW_ALL
        elif np.any((np.asarray(thresholds) < 0) | (np.asarray(thresholds) > 1)):
            raise ValueError(f"thresholds lie between 0 and 1, not {thresholds}")
        self.thresholds = np.atleast_1d(thresholds)
        self.top_k = top_k
        self.class_id = class_id
        self.reset_state()

    def reset_state(self) -> None:
        self.counts = np.zeros((4, len(self.thresholds)), config.floatx())

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.counts = self.counts + count_confusions(
            y_true, y_pred, self.thresholds, sample_weight, self.top_k, self.class_id
        )


class TruePositives(_Confusions):
    """How often y_pred > threshold where y_true is 1, for one threshold or each of several."""

    def __init__(
        self,
        thresholds: float | list[float] | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(thresholds, name=name, dtype=dtype)

    def result(self) -> np.ndarray | np.floating:
        return _one_or_all(self.counts[0])


class FalsePositives(_Confusions):
    """How often y_pred > threshold where y_true is 0, for one threshold or each of several."""

    def __init__(
        self,
        thresholds: float | list[float] | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(thresholds, name=name, dtype=dtype)

    def result(self) -> np.ndarray | np.floating:
        return _one_or_all(self.counts[1])


class TrueNegatives(_Confusions):
    """How often y_pred <= threshold where y_true is 0, for one threshold or each of several."""

    def __init__(
        self,
        thresholds: float | list[float] | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(thresholds, name=name, dtype=dtype)

    def result(self) -> np.ndarray | np.floating:
        return _one_or_all(self.counts[2])


class FalseNegatives(_Confusions):
    """How often y_pred <= threshold where y_true is 1, for one threshold or each of several."""

    def __init__(
        self,
        thresholds: float | list[float] | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(thresholds, name=name, dtype=dtype)

    def result(self) -> np.ndarray | np.floating:
        return _one_or_all(self.counts[3])


class Precision(_Confusions):
    """true positives / (true positives + false positives): how much of what is said is true.

    Of y_pred (..., classes) only the top_k scores count as said, if that is given, and only the
    class class_id is looked at. 0 where nothing is said.
    """

    def __init__(
        self,
        thresholds: float | list[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(thresholds, top_k, class_id, name, dtype)

    def result(self) -> np.ndarray | np.floating:
        true_positives, false_positives, _, _ = self.counts
        return _one_or_all(divide(true_positives, true_positives + false_positives))


class Recall(_Confusions):
    """true positives / (true positives + false negatives): how much of what is true is said.

    Arguments as those of Precision. 0 where nothing is true.
    """

    def __init__(
        self,
        thresholds: float | list[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(thresholds, top_k, class_id, name, dtype)

    def result(self) -> np.ndarray | np.floating:
        true_positives, _, _, false_negatives = self.counts
        return _one_or_all(divide(true_positives, true_positives + false_negatives))


def _one_or_all(results: np.ndarray) -> np.ndarray | np.floating:
    return results[0] if len(results) == 1 else results


def divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b, 0 where b is 0."""
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)
