"""Losses of regression: they grow with the distance between prediction and truth."""

import math

import numpy as np

from scratch import activations, config

from .loss import FunctionLoss
from .per_sample import Forward, aligned, mean


def mean_squared_error(y_true: np.ndarray, y_pred: np.ndarray) -> Forward:
    """value = mean((y_pred - y_true)²), dy_pred = dvalue * 2 * (y_pred - y_true) / n.

    The mean is over the last axis, of n entries, here and below. ValueError for shapes that only
    broadcasting would fit, which Keras lets pass; (n,) and (n, 1) fit as in Keras.
    """
    target, prediction = aligned("mean_squared_error", y_true, y_pred)
    error = prediction - target

    def backward(dvalue):
        dvalue = np.expand_dims(dvalue, -1) / error.shape[-1]
        return (dvalue * (2 * error)).reshape(y_pred.shape)

    return np.mean(error * error, axis=-1), backward


def mean_absolute_error(y_true: np.ndarray, y_pred: np.ndarray) -> Forward:
    """value = mean(|y_pred - y_true|), dy_pred = dvalue * sign(y_pred - y_true) / n."""
    target, prediction = aligned("mean_absolute_error", y_true, y_pred)
    error = prediction - target
    sign = np.sign(np.real(error))
    return mean(sign * error, sign, y_pred.shape)


def mean_absolute_percentage_error(y_true: np.ndarray, y_pred: np.ndarray) -> Forward:
    """value = mean(100 * |error|), dy_pred = dvalue * 100 * sign(error) / |y_true| / n.

    error = (y_pred - y_true) / |y_true|, where |y_true| is at least epsilon.
    """
    target, prediction = aligned("mean_absolute_percentage_error", y_true, y_pred)
    size = np.maximum(np.abs(target), config.epsilon())
    error = (prediction - target) / size
    slope = 100 * np.sign(np.real(error))
    return mean(slope * error, slope / size, y_pred.shape)


def mean_squared_logarithmic_error(y_true: np.ndarray, y_pred: np.ndarray) -> Forward:
    """value = mean(error²), dy_pred = dvalue * 2 * error / (y_pred + 1) / n.

    error = log(y_pred + 1) - log(y_true + 1), where both are at least epsilon, rounded to floatx;
    a y_pred below it has no gradient, one that equals it has.
    """
    target, prediction = aligned("mean_squared_logarithmic_error", y_true, y_pred)
    epsilon = np.array(config.epsilon(), config.floatx()).item()
    passes = np.real(prediction) >= epsilon
    grown = np.where(passes, prediction, epsilon) + 1
    error = np.log(grown) - np.log(np.maximum(np.real(target), epsilon) + 1)
    return mean(error * error, 2 * error * passes / grown, y_pred.shape)


def huber(y_true: np.ndarray, y_pred: np.ndarray, delta: float = 1.0) -> Forward:
    """value = mean(error² / 2 where |error| <= delta else delta * |error| - delta² / 2).

    dy_pred = dvalue * error / n, with the error clipped to delta. Source: Huber, Robust Estimation
    of a Location Parameter.
    """
    target, prediction = aligned("huber", y_true, y_pred)
    error = prediction - target
    limit = delta * np.sign(np.real(error))
    small = np.abs(np.real(error)) <= delta
    losses = np.where(small, error * error / 2, limit * error - delta * delta / 2)
    return mean(losses, np.where(small, error, limit), y_pred.shape)


def log_cosh(y_true: np.ndarray, y_pred: np.ndarray) -> Forward:
    """value = mean(log(cosh(error))), dy_pred = dvalue * tanh(error) / n.

    It is error + softplus(-2 * error) - log(2), which does not overflow; log(2) is a float32.
    """
    target, prediction = aligned("log_cosh", y_true, y_pred)
    error = prediction - target
    losses = error + activations.softplus(-2 * error)[0] - float(np.float32(math.log(2)))
    return mean(losses, np.tanh(error), y_pred.shape)


def cosine_similarity(y_true: np.ndarray, y_pred: np.ndarray, axis: int = -1) -> Forward:
    """value = -sum(y_true / |y_true| * y_pred / |y_pred|) over axis, so that -1 is the best.

    Norms are at least epsilon.
    """
    target, prediction = aligned("cosine_similarity", y_true, y_pred)
    target, _ = _normalized(target, axis)
    prediction, backward_normalized = _normalized(prediction, axis)

    def backward(dvalue):
        return backward_normalized(-np.expand_dims(dvalue, axis) * target).reshape(y_pred.shape)

    return -np.sum(target * prediction, axis), backward


def _normalized(x: np.ndarray, axis: int) -> Forward:
    """y = x / |x|, dx = (dy - y * sum(dy * y)) / |x|; y = x / epsilon where |x| is below that."""
    norm = np.sqrt(np.sum(x * x, axis, keepdims=True))
    long = np.real(norm) >= config.epsilon()
    norm = np.where(long, norm, config.epsilon())
    y = x / norm

    def backward(dy):
        return (dy - long * y * np.sum(dy * y, axis, keepdims=True)) / norm

    return y, backward


class MeanSquaredError(FunctionLoss):
    """mean((y_pred - y_true)²): mean_squared_error, weighed and reduced as by Loss."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: str | None = None,
    ):
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(FunctionLoss):
    """mean(|y_pred - y_true|): mean_absolute_error, reduced as by Loss."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: str | None = None,
    ):
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(FunctionLoss):
    """100 * mean(|y_pred - y_true| / |y_true|): mean_absolute_percentage_error, reduced."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: str | None = None,
    ):
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(FunctionLoss):
    """mean((log(y_pred + 1) - log(y_true + 1))²): mean_squared_logarithmic_error, reduced."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: str | None = None,
    ):
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class Huber(FunctionLoss):
    """mean of error² / 2, or of a line where |error| > delta: huber, reduced as by Loss."""

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: str | None = None,
    ):
        super().__init__(
            huber,
            reduction,
            name,
            dtype,
            delta=delta,
        )


class LogCosh(FunctionLoss):
    """mean(log(cosh(y_pred - y_true))): log_cosh, reduced as by Loss."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: str | None = None,
    ):
        super().__init__(log_cosh, reduction, name, dtype)


class CosineSimilarity(FunctionLoss):
    """-sum(y_true / |y_true| * y_pred / |y_pred|): cosine_similarity, reduced as by Loss."""

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: str | None = None,
    ):
        super().__init__(
            cosine_similarity,
            reduction,
            name,
            dtype,
            axis=axis,
        )
