"""The cross-entropies: how unlikely the true class is held to be."""

from collections import abc

import numpy as np

from scratch import activations

from .loss import FunctionLoss, Loss
from .per_sample import Forward, as_indices, check_shapes, clip, label_per_sample, smoothed


def binary_crossentropy(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int | tuple[int, ...] | None = -1,
) -> Forward:
    """value = mean(-y_true * log(p) - (1 - y_true) * log(1 - p)) over axis.

    p is y_pred within [epsilon, 1 - epsilon], outside of which there is no gradient, or
    sigmoid(y_pred) from logits. label_smoothing moves y_true towards 0.5.
    """
    check_shapes("binary_crossentropy", y_true, y_pred)
    target = smoothed(y_true.astype(y_pred.dtype), label_smoothing, 2)
    losses, backward_each = binary_losses(target, y_pred, from_logits)
    value = np.mean(losses, axis=axis, keepdims=True)

    def backward(dvalue):
        return backward_each(np.reshape(dvalue, value.shape) / (losses.size / value.size))

    return np.squeeze(value, axis), backward


def binary_losses(target: np.ndarray, y_pred: np.ndarray, from_logits: bool) -> Forward:
    """The binary cross-entropy of every entry by itself."""
    return (_binary_from_logits if from_logits else _binary_from_probabilities)(target, y_pred)


def _binary_from_probabilities(target: np.ndarray, y_pred: np.ndarray) -> Forward:
    p, passes = clip(y_pred)
    losses = -(target * np.log(p) + (1 - target) * np.log(1 - p))
    return losses, lambda dlosses: passes * dlosses * ((1 - target) / (1 - p) - target / p)


def _binary_from_logits(target: np.ndarray, x: np.ndarray) -> Forward:
    """losses = max(x, 0) - x * target + log(1 + exp(-|x|)), dx = dlosses * (sigmoid(x) - target).

    Neither overflows: exp is taken of numbers below 0 alone.
    """
    positive = np.real(x) >= 0
    decay = np.exp(np.where(positive, -x, x))
    losses = np.where(positive, x, 0) - x * target + np.log1p(decay)

    def backward(dlosses):
        # sigmoid(x) is 1 - tail or tail; 1 - target before tail keeps the digits of a small tail
        tail = decay / (1 + decay)
        return dlosses * np.where(positive, (1 - target) - tail, tail - target)

    return losses, backward


def categorical_crossentropy(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Forward:
    """value = sum(-y_true * log(p)) over axis, for y_true one-hot or otherwise a distribution.

    p is y_pred / sum(y_pred) within [epsilon, 1 - epsilon], outside of which there is no gradient,
    or softmax(y_pred) from logits. label_smoothing moves y_true towards 1 / y_true.shape[-1],
    whatever axis is, as in Keras.
    """
    if not isinstance(axis, int) or isinstance(axis, bool):
        raise ValueError(f"axis must be an integer, not {axis}")
    check_shapes("categorical_crossentropy", y_true, y_pred)
    target = smoothed(y_true.astype(y_pred.dtype), label_smoothing, y_true.shape[-1])
    if from_logits:
        return _categorical_from_logits(target, y_pred, axis)
    return _categorical_from_probabilities(target, y_pred, axis)


def _categorical_from_logits(target: np.ndarray, logits: np.ndarray, axis: int) -> Forward:
    """value = sum(-target * log(softmax(logits))), dlogits = dvalue * (softmax(logits) - target).

    The gradient is TensorFlow's, and the derivative where target sums to 1, which is not checked;
    otherwise the derivative would be dvalue * (softmax(logits) * sum(target) - target).
    """
    log_p, _ = activations.log_softmax(logits, axis)

    def backward(dvalue):
        return np.expand_dims(dvalue, axis) * (np.exp(log_p) - target)

    return -np.sum(target * log_p, axis), backward


def _categorical_from_probabilities(target: np.ndarray, y_pred: np.ndarray, axis: int) -> Forward:
    total = np.sum(y_pred, axis, keepdims=True)
    share = y_pred / total
    p, passes = clip(share)

    def backward(dvalue):
        dshare = np.expand_dims(dvalue, axis) * passes * (-target / p)
        return (dshare - np.sum(dshare * share, axis, keepdims=True)) / total

    return -np.sum(target * np.log(p), axis), backward


def sparse_categorical_crossentropy(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Forward:
    """value = -log(softmax(logits)[y_true]), for integers y_true of shape (..., ) or (..., 1).

    logits is y_pred (..., classes), or log(p) for p = y_pred within [epsilon, 1 - epsilon], outside
    of which there is no gradient; softmax(log(p)) is p / sum(p). Samples of class ignore_class get
    0. ValueError for labels outside [0, classes) and, as in Keras, for any axis but the last.
    """
    labels, valid = _labels(y_true, y_pred, ignore_class, axis)
    y_pred = np.where(np.expand_dims(valid, -1), y_pred, 0)
    if from_logits:
        value, backward_logits = _sparse_from_logits(labels, y_pred)
        return value * valid, lambda dvalue: backward_logits(dvalue * valid)
    p, passes = clip(y_pred)
    value, backward_logits = _sparse_from_logits(labels, np.log(p))
    return value * valid, lambda dvalue: passes * backward_logits(dvalue * valid) / p


def _sparse_from_logits(labels: np.ndarray, logits: np.ndarray) -> Forward:
    """value = -log(softmax(logits))[labels], dlogits = dvalue * (softmax(logits) - one_hot)."""
    log_p, _ = activations.log_softmax(logits)
    at_label = (*np.indices(labels.shape, sparse=True), labels)

    def backward(dvalue):
        dlogits = np.exp(log_p)
        dlogits[at_label] -= 1
        dlogits *= np.expand_dims(dvalue, -1)
        return dlogits

    return -log_p[at_label], backward


def _labels(
    y_true: np.ndarray, y_pred: np.ndarray, ignore_class: int | None, axis: int
) -> tuple[np.ndarray, np.ndarray]:
    """y_true as indices into the last axis of y_pred, and which of them are not ignored."""
    if axis not in (-1, y_pred.ndim - 1):
        raise ValueError(f"sparse_categorical_crossentropy takes the last axis alone, not {axis}")
    y_true = label_per_sample("sparse_categorical_crossentropy", y_true, y_pred)
    valid = np.ones(y_true.shape, bool) if ignore_class is None else y_true != ignore_class
    return as_indices(np.where(valid, y_true, 0), y_pred.shape[-1]), valid


class BinaryCrossentropy(FunctionLoss):
    """-y_true * log(p) - (1 - y_true) * log(1 - p): binary_crossentropy, reduced as by Loss."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(
            binary_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalCrossentropy(FunctionLoss):
    """sum(-y_true * log(p)) for one-hot y_true: categorical_crossentropy, reduced as by Loss."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(
            categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(FunctionLoss):
    """-log(p[y_true]) for integers y_true: sparse_categorical_crossentropy, reduced as by Loss.

    Samples of class ignore_class count neither in a sum nor in the number that divides it.
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(
            sparse_categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.ignore_class = ignore_class

    def on_logits(self, activation: abc.Callable) -> Loss | None:
        return super().on_logits(activation) if self.ignore_class is None else None

    def _mask(self, y_true, values):
        return None if self.ignore_class is None else y_true != self.ignore_class
