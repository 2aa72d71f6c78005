"""Overlaps: losses of segmentation, which compare areas instead of single entries."""

import numpy as np

from scratch import config

from .loss import FunctionLoss
from .per_sample import Forward, check_shapes

Axes = int | tuple[int, ...] | None


def dice(y_true: np.ndarray, y_pred: np.ndarray, axis: Axes = None) -> Forward:
    """value = 1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred) + epsilon) over axis.

    dy_pred = -2 * dvalue * (y_true - overlap / total) / total, for those sums.
    """
    check_shapes("dice", y_true, y_pred)
    target = y_true.astype(y_pred.dtype)
    overlap = np.sum(target * y_pred, axis, keepdims=True)
    total = np.sum(target + y_pred, axis, keepdims=True) + config.epsilon()

    def backward(dvalue):
        return -2 * np.reshape(dvalue, total.shape) * (target - overlap / total) / total

    return np.squeeze(1 - 2 * overlap / total, axis), backward


def tversky(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: Axes = None,
) -> Forward:
    """value = 1 - overlap / (overlap + alpha * extra + beta * missed + epsilon), sums over axis.

    overlap = sum(y_true * y_pred), extra = sum((1 - y_true) * y_pred), the false positives, and
    missed = sum(y_true * (1 - y_pred)), the false negatives. So in the paper and in the words of
    Keras, whose code has alpha and beta the other way round.
    Source: Salehi et al., Tversky Loss Function for Image Segmentation.
    """
    check_shapes("tversky", y_true, y_pred)
    target = y_true.astype(y_pred.dtype)
    overlap = np.sum(target * y_pred, axis, keepdims=True)
    extra = np.sum((1 - target) * y_pred, axis, keepdims=True)
    missed = np.sum(target * (1 - y_pred), axis, keepdims=True)
    total = overlap + alpha * extra + beta * missed + config.epsilon()

    def backward(dvalue):
        dtotal = (1 - beta) * target + alpha * (1 - target)
        return -np.reshape(dvalue, total.shape) * (target - overlap / total * dtotal) / total

    return np.squeeze(1 - overlap / total, axis), backward


class Dice(FunctionLoss):
    """1 - 2 * sum(y_true * y_pred) / sum(y_true + y_pred): dice, reduced as by Loss."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: int | tuple[int, ...] | None = None,
        dtype: str | None = None,
    ):
        super().__init__(
            dice,
            reduction,
            name,
            dtype,
            axis=axis,
        )


class Tversky(FunctionLoss):
    """1 - overlap / (overlap + alpha * extra + beta * missed): tversky, reduced as by Loss."""

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: int | tuple[int, ...] | None = None,
        dtype: str | None = None,
    ):
        super().__init__(
            tversky,
            reduction,
            name,
            dtype,
            alpha=alpha,
            beta=beta,
            axis=axis,
        )
