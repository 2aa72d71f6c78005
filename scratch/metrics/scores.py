"""F-scores: precision and recall in one number."""

from typing import Any

import numpy as np

from scratch import config

from .errors import check_columns
from .metric import Metric, repeated


class FBetaScore(Metric):
    """(1 + beta²) * precision * recall / (beta² * precision + recall), of each class.

    For y_true (n, classes) of 0 and 1. A class is predicted where y_pred > threshold, or without
    one where its score is the largest, and not 0. Sums get an epsilon before they divide. average
    is None for a score per class, "macro" or "weighted" for their mean, plain or by the weight of
    y_true, or "micro" for the score of all classes counted together.
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: str | None = None,
    ):
        super().__init__(dtype, name)
        averages = (None, "micro", "macro", "weighted")
        if average not in averages:
            raise ValueError(f"average is one of {averages}, not {average!r}")
        if not isinstance(beta, float) or beta <= 0:
            raise ValueError(f"beta is a float above 0, not {beta!r}")
        if threshold is not None and not (isinstance(threshold, float) and 0 < threshold <= 1):
            raise ValueError(f"threshold is a float above 0 and at most 1, not {threshold!r}")
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self.reset_state()

    def reset_state(self) -> None:
        shape = () if self.average == "micro" else (1,)
        self.true_positives = self.false_positives = np.zeros(shape, self.dtype)
        self.false_negatives = self.intermediate_weights = np.zeros(shape, self.dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = np.asarray(y_true, self.dtype), np.asarray(y_pred, self.dtype)
        check_columns("FBetaScore", y_true, y_pred, self.true_positives.size)
        said = self._said(y_pred).astype(self.dtype)
        weight = np.asarray(1 if sample_weight is None else sample_weight, self.dtype)
        weight = repeated(weight[..., np.newaxis], y_true.shape)
        axis = None if self.average == "micro" else 0
        self.true_positives = self.true_positives + np.sum(said * y_true * weight, axis)
        self.false_positives = self.false_positives + np.sum(said * (1 - y_true) * weight, axis)
        self.false_negatives = self.false_negatives + np.sum((1 - said) * y_true * weight, axis)
        self.intermediate_weights = self.intermediate_weights + np.sum(y_true * weight, axis)

    def _said(self, y_pred: np.ndarray) -> np.ndarray:
        if self.threshold is not None:
            return y_pred > self.threshold
        return (y_pred >= y_pred.max(axis=-1, keepdims=True)) & (np.abs(y_pred) > 1e-9)

    def result(self) -> np.ndarray | np.floating:
        epsilon = config.epsilon()
        said = self.true_positives + self.false_positives + epsilon
        true = self.true_positives + self.false_negatives + epsilon
        precision, recall = self.true_positives / said, self.true_positives / true
        squared = self.beta**2
        scores = precision * recall / (squared * precision + recall + epsilon) * (1 + squared)
        if self.average == "weighted":
            total = np.sum(self.intermediate_weights) + epsilon
            return np.sum(scores * (self.intermediate_weights / total))
        return scores if self.average is None else np.mean(scores)


class F1Score(FBetaScore):
    """2 * precision * recall / (precision + recall): FBetaScore with beta 1."""

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: str | None = None,
    ):
        super().__init__(average, 1.0, threshold, name, dtype)
