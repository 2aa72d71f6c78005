"""Circle loss: embeddings of one class near each other, those of other classes far away."""

import numpy as np

from scratch import activations

from .loss import FunctionLoss
from .per_sample import Forward


def circle(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    ref_labels: np.ndarray | None = None,
    ref_embeddings: np.ndarray | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Forward:
    """value = softplus(near + far), for labels y_true (n,) and unit vectors y_pred (n, d).

    near = log(sum(exp(gamma * (distance + margin) * (distance - margin)))) over the same class,
    far = log(sum(exp(gamma * (1 + margin - distance) * (1 - margin - distance)))) over the others.
    distance = 1 - y_pred @ ref_embeddings.T, and like both first factors at least 0. References
    are y_pred itself, compared with itself only without remove_diagonal, or else constants. A
    sample without another of its class, or of other classes, has value 0. As in Keras, but not in
    the paper's code, the first factors are differentiated too. Source: Sun et al., Circle Loss.
    """
    labels = y_true if ref_labels is None else ref_labels
    references = y_pred if ref_embeddings is None else ref_embeddings
    same = _same_class(y_true, y_pred, labels, references)
    compared = ~np.eye(*same.shape, dtype=bool) if remove_diagonal else True
    distance = 1 - y_pred @ references.T
    positive = np.real(distance) >= 0
    distance = np.where(positive, distance, 0)
    near, backward_near = _strain(distance + margin, distance - margin, gamma, same & compared)
    far, backward_far = _strain(1 + margin - distance, 1 - margin - distance, gamma, ~same)
    value, backward_value = activations.softplus(near + far)

    def backward(dvalue):
        dsum = backward_value(dvalue)
        dproduct = (backward_far(dsum) - backward_near(dsum)) * positive
        dy_pred = dproduct @ references
        return dy_pred + dproduct.T @ y_pred if ref_embeddings is None else dy_pred

    return value, backward


def _strain(weight: np.ndarray, excess: np.ndarray, gamma: float, mask: np.ndarray) -> Forward:
    """y = log(sum(exp(gamma * weight * excess))) over the mask of each row, weight at least 0.

    backward gives the gradient of a number added to weight and excess.
    """
    passes = np.real(weight) >= 0
    weight = np.where(passes, weight, 0)
    y, backward = _log_sum_exp(gamma * weight * excess, mask)
    return y, lambda dy: backward(dy) * gamma * (weight + passes * excess)


def _log_sum_exp(x: np.ndarray, mask: np.ndarray) -> Forward:
    """y = log(sum(exp(x))) over the mask of each row, -inf where empty; dx = dy * exp(x - y)."""
    most = np.max(np.real(x), axis=1, keepdims=True, where=mask, initial=-np.inf)
    most = np.where(mask.any(axis=1, keepdims=True), most, 0)
    powers = np.exp(np.where(mask, x - most, -np.inf))
    total = np.sum(powers, axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        y = np.log(total) + most
    share = powers / np.where(total == 0, 1, total)
    return y[:, 0], lambda dy: np.expand_dims(dy, 1) * share


def _same_class(y_true, y_pred, labels, references) -> np.ndarray:
    """Which of y_pred (rows) and references (columns) are of one class. ValueError for shapes."""
    if y_pred.shape[1:] != references.shape[1:]:
        raise ValueError(f"circle cannot compare {y_pred.shape} with references {references.shape}")
    for given, embeddings in ((y_true, y_pred), (labels, references)):
        if embeddings.ndim != 2 or given.size != len(embeddings):
            raise ValueError(
                f"circle takes embeddings of shape (n, d) with n labels, not {embeddings.shape} "
                f"with {given.size}"
            )
    return y_true.reshape(-1, 1).astype(np.int64) == labels.reshape(1, -1).astype(np.int64)


class Circle(FunctionLoss):
    """softplus(near + far): circle, reduced as by Loss, but a mean leaves out samples of loss 0."""

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: str | None = None,
    ):
        super().__init__(
            circle,
            reduction,
            name,
            dtype,
            gamma=gamma,
            margin=margin,
            remove_diagonal=remove_diagonal,
        )

    def _mask(self, y_true, values):
        return np.real(values) > 0
