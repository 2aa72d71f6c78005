"""Divergences: how unlikely the truth is under the predicted distribution."""

import numpy as np

from scratch import config

from .loss import FunctionLoss
from .per_sample import Forward, as_indices, check_shapes, clip, label_per_sample, mean


def kl_divergence(y_true: np.ndarray, y_pred: np.ndarray) -> Forward:
    """value = sum(y_true * log(y_true / y_pred)), dy_pred = -dvalue * y_true / y_pred.

    The sum is over the last axis. Both are clipped to [epsilon, 1], outside of which there is no
    gradient.
    """
    check_shapes("kl_divergence", y_true, y_pred)
    target, _ = clip(y_true.astype(np.real(y_pred).dtype), 1)
    p, passes = clip(y_pred, 1)

    def backward(dvalue):
        return -np.expand_dims(dvalue, -1) * passes * target / p

    return np.sum(target * np.log(target / p), axis=-1), backward


def poisson(y_true: np.ndarray, y_pred: np.ndarray) -> Forward:
    """value = mean(y_pred - y_true * log(y_pred + epsilon)) over the last axis.

    dy_pred = dvalue * (1 - y_true / (y_pred + epsilon)) / n: the likelihood of counts y_true of
    which y_pred are expected, without the term log(y_true!) that y_pred does not move.
    """
    check_shapes("poisson", y_true, y_pred)
    target, rate = y_true.astype(y_pred.dtype), y_pred + config.epsilon()
    return mean(y_pred - target * np.log(rate), 1 - target / rate, y_pred.shape)


def categorical_generalized_cross_entropy(
    y_true: np.ndarray, y_pred: np.ndarray, q: float
) -> Forward:
    """value = (1 - p**q) / q for p = y_pred[y_true], dp = -dvalue * p**(q - 1).

    Between cross-entropy (q near 0) and absolute error (q = 1), and less misled by wrong labels.
    y_true holds integers of shape (...), or (..., 1), whose last axis Keras takes for another one.
    ValueError for labels outside [0, classes), which are of no class to Keras. Source: Zhang and
    Sabuncu, Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels.
    """
    labels = label_per_sample("categorical_generalized_cross_entropy", y_true, y_pred)
    labels = as_indices(labels, y_pred.shape[-1])
    at_label = (*np.indices(labels.shape, sparse=True), labels)
    p = y_pred[at_label]

    def backward(dvalue):
        dy_pred = np.zeros_like(y_pred)
        dy_pred[at_label] = -dvalue * p ** (q - 1)
        return dy_pred

    return (1 - p**q) / q, backward


class KLDivergence(FunctionLoss):
    """sum(y_true * log(y_true / y_pred)): kl_divergence, reduced as by Loss."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: str | None = None,
    ):
        super().__init__(kl_divergence, reduction, name, dtype)


class Poisson(FunctionLoss):
    """mean(y_pred - y_true * log(y_pred)): poisson, reduced as by Loss."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: str | None = None,
    ):
        super().__init__(poisson, reduction, name, dtype)


class CategoricalGeneralizedCrossEntropy(FunctionLoss):
    """(1 - p[y_true]**q) / q: categorical_generalized_cross_entropy, reduced; 0 < q < 1."""

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: str | None = None,
    ):
        if not 0 < q < 1:
            raise ValueError(f"q must be above 0 and below 1, not {q}")
        super().__init__(
            categorical_generalized_cross_entropy,
            reduction,
            name,
            dtype,
            q=q,
        )
