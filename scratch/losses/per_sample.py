"""What loss functions share: y_true and y_pred of one shape, and a value per sample."""

from collections import abc

import numpy as np

from scratch import config

Forward = tuple[np.ndarray, abc.Callable[..., np.ndarray]]


def label_per_sample(name: str, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """y_true without a last axis of size 1. ValueError where that is no label per sample."""
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = y_true[..., 0]
    if y_true.shape != y_pred.shape[:-1]:
        raise ValueError(
            f"{name} takes integers y_true of shape {y_pred.shape[:-1]} "
            f"with y_pred of shape {y_pred.shape}, not {y_true.shape}"
        )
    return y_true


def as_indices(labels: np.ndarray, classes: int) -> np.ndarray:
    """labels as integers. ValueError for one that is not in [0, classes)."""
    labels = labels.astype(np.int64)
    outside = (labels < 0) | (labels >= classes)
    if outside.any():
        raise ValueError(f"labels must be at least 0 and below {classes}, not {labels[outside][0]}")
    return labels


def smoothed(target: np.ndarray, label_smoothing: float, classes: int) -> np.ndarray:
    """target moved by the share label_smoothing towards 1 / classes."""
    return target * (1 - label_smoothing) + label_smoothing / classes if label_smoothing else target


def mean(losses: np.ndarray, slopes: np.ndarray, shape: tuple[int, ...]) -> Forward:
    """value = mean(losses) over the last axis, dy_pred = dvalue * slopes / n, in that shape."""

    def backward(dvalue):
        return (np.expand_dims(dvalue, -1) / losses.shape[-1] * slopes).reshape(shape)

    return np.mean(losses, axis=-1), backward


def clip(p: np.ndarray, high: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """p within [epsilon, high], and where the gradient passes: the bounds themselves do.

    high is 1 - epsilon if it is not given. The bounds are rounded in the dtype of p, so that
    1 - epsilon is 0.99999988 in float32.
    """
    low, high = config.epsilon(), 1 - config.epsilon() if high is None else high
    passes = (np.real(p) >= low) & (np.real(p) <= high)
    return np.where(passes, p, np.clip(np.real(p), low, high)), passes


def aligned(name: str, y_true: np.ndarray, y_pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both in the dtype of y_pred and of one shape, for which (n,) and (n, 1) are the same."""
    target, prediction = squeeze_or_expand_to_same_rank(y_true, y_pred)
    check_shapes(name, target, prediction)
    return target.astype(prediction.dtype), prediction


def check_shapes(name: str, y_true: np.ndarray, y_pred: np.ndarray) -> None:
    if y_true.shape != y_pred.shape or not y_pred.shape:
        raise ValueError(
            f"{name} takes y_true and y_pred of one shape, not {y_true.shape} and {y_pred.shape}"
        )


def squeeze_or_expand_to_same_rank(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a and b differ by a last axis of size 1: (n,) becomes (n, 1), else that axis goes."""
    if a.ndim == b.ndim + 1 and a.shape[-1] == 1:
        return (a, b[:, np.newaxis]) if b.ndim == 1 else (a[..., 0], b)
    if b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        return (a[:, np.newaxis], b) if a.ndim == 1 else (a, b[..., 0])
    return a, b
