"""Hinges: losses that are content once a prediction is right by a margin of 1."""

import numpy as np

from .loss import FunctionLoss
from .per_sample import Forward, check_shapes, mean


def hinge(y_true: np.ndarray, y_pred: np.ndarray) -> Forward:
    """value = mean(max(1 - y_true * y_pred, 0)) over the last axis, for y_true of -1 and 1.

    dy_pred = -dvalue * y_true / n where 1 - y_true * y_pred >= 0. Where y_true is 0 and 1
    throughout, 0 counts as -1.
    """
    target = _signs("hinge", y_true, y_pred)
    margin = 1 - target * y_pred
    violated = np.real(margin) >= 0
    return mean(np.where(violated, margin, 0), -target * violated, y_pred.shape)


def squared_hinge(y_true: np.ndarray, y_pred: np.ndarray) -> Forward:
    """value = mean(max(1 - y_true * y_pred, 0)²) over the last axis, y_true as for hinge.

    dy_pred = -dvalue * 2 * y_true * max(...) / n.
    """
    target = _signs("squared_hinge", y_true, y_pred)
    margin = 1 - target * y_pred
    clipped = np.where(np.real(margin) > 0, margin, 0)
    return mean(clipped * clipped, -2 * target * clipped, y_pred.shape)


def categorical_hinge(y_true: np.ndarray, y_pred: np.ndarray) -> Forward:
    """value = max(wrong - right + 1, 0) over the last axis, for y_true one-hot.

    right = sum(y_true * y_pred), wrong = max((1 - y_true) * y_pred). dy_pred is dvalue for the
    wrong class, shared equally where several tie, and -dvalue for the right one, as long as
    wrong - right + 1 >= 0. As in Keras the right class itself counts as wrong with a score of 0.
    """
    check_shapes("categorical_hinge", y_true, y_pred)
    target = y_true.astype(y_pred.dtype)
    others = (1 - target) * y_pred
    best = np.expand_dims(np.argmax(np.real(others), axis=-1), -1)
    wrong = np.take_along_axis(others, best, axis=-1)
    margin = wrong[..., 0] - np.sum(target * y_pred, axis=-1) + 1
    violated = np.real(margin) >= 0
    tied = np.real(others) == np.real(wrong)
    share = tied / np.sum(tied, axis=-1, keepdims=True, dtype=np.real(y_pred).dtype)

    def backward(dvalue):
        return np.expand_dims(dvalue * violated, -1) * ((1 - target) * share - target)

    return np.where(violated, margin, 0), backward


def _signs(name: str, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """y_true in the dtype of y_pred, with -1 for 0 where it has no other numbers than 0 and 1."""
    check_shapes(name, y_true, y_pred)
    target = y_true.astype(y_pred.dtype)
    return 2 * target - 1 if np.all((target == 0) | (target == 1)) else target


class Hinge(FunctionLoss):
    """mean(max(1 - y_true * y_pred, 0)): hinge, reduced as by Loss."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: str | None = None,
    ):
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(FunctionLoss):
    """mean(max(1 - y_true * y_pred, 0)²): squared_hinge, reduced as by Loss."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: str | None = None,
    ):
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(FunctionLoss):
    """max(wrong - right + 1, 0): categorical_hinge, reduced as by Loss."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: str | None = None,
    ):
        super().__init__(categorical_hinge, reduction, name, dtype)
