"""AUC: the area under the curve that a threshold draws when it moves from 0 to 1."""

from typing import Any

import numpy as np

from scratch import activations, config

from .confusion import count_confusions, divide
from .metric import Metric

_CURVES = ("ROC", "PR", "PRGAIN")
_SUMMATIONS = ("interpolation", "minoring", "majoring")


class AUC(Metric):
    """sum((x[:-1] - x[1:]) * heights), for x falling and y between the thresholds.

    curve "ROC": y = true positive rate over x = false positive rate; "PR": y = precision over
    x = recall; "PRGAIN": their gains over chance. heights are means of neighbouring y
    ("interpolation"), the lower ("minoring") or the higher ("majoring") of them; between points of
    a PR curve interpolation follows the counts instead.

    There are num_thresholds, evenly spaced, or the given ones and two outside [0, 1]. With
    multi_label the areas of the columns of y_pred (n, labels) are averaged, by label_weights;
    without it those weigh the entries. from_logits takes sigmoid(y_pred). Counts are in floatx
    whatever dtype is, as in Keras.
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: str | None = None,
        thresholds: list[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ):
        super().__init__(dtype, name)
        self.thresholds = _thresholds(num_thresholds, thresholds)
        self.num_thresholds = len(self.thresholds)
        self.curve = _known("curve", str(curve).upper(), _CURVES)
        summation_method = str(summation_method).lower()
        self.summation_method = _known("summation_method", summation_method, _SUMMATIONS)
        if num_labels and not multi_label:
            raise ValueError("num_labels is for multi_label=True alone")
        self.multi_label = multi_label
        self.num_labels = num_labels
        weights = None if label_weights is None else np.asarray(label_weights, config.floatx())
        self.label_weights = weights
        self.from_logits = from_logits
        self.reset_state()

    def reset_state(self) -> None:
        shape = (4, self.num_thresholds, self.num_labels or 1)
        self.counts = np.zeros(shape if self.multi_label else shape[:2], config.floatx())

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_pred = np.asarray(y_pred)
        if self.multi_label and y_pred.ndim != 2:
            raise ValueError(f"with multi_label y_pred has shape (n, labels), not {y_pred.shape}")
        self._check_labels(y_pred.shape)
        if self.from_logits:
            y_pred, _ = activations.sigmoid(y_pred)
        self.counts = self.counts + count_confusions(
            y_true,
            y_pred,
            self.thresholds,
            sample_weight,
            label_weights=None if self.multi_label else self.label_weights,
            multi_label=self.multi_label,
        )

    def _check_labels(self, shape: tuple[int, ...]) -> None:
        """ValueError where num_labels, those seen before or label_weights are another number."""
        weights = None if self.label_weights is None else self.label_weights.size
        expected = [weights, self.counts.shape[2] if self.multi_label else 1]
        for number in expected:
            if number not in (None, 1, *shape[-1:]):
                raise ValueError(f"AUC expects {number} labels, not y_pred of shape {shape}")

    def result(self) -> np.floating:
        if (self.curve, self.summation_method) == ("PR", "interpolation"):
            areas = _interpolated_precision(*self.counts)
        else:
            x, y = _POINTS[self.curve](*self.counts)
            areas = (x[:-1] - x[1:]) * _HEIGHTS[self.summation_method](y[:-1], y[1:])
        if not self.multi_label:
            return np.sum(areas)
        by_label, weights = np.sum(areas, axis=0), self.label_weights
        if weights is None:
            return np.mean(by_label)
        return np.sum(by_label * weights) / np.sum(weights)


def _thresholds(count: int, given: list[float] | None) -> np.ndarray:
    """The inner thresholds between -epsilon and 1 + epsilon, for predictions of exactly 0 or 1."""
    if given is None and count <= 1:
        raise ValueError(f"num_thresholds is above 1, not {count}")
    inner = [i / (count - 1) for i in range(1, count - 1)] if given is None else sorted(given)
    return np.array([-config.epsilon(), *inner, 1 + config.epsilon()])


def _known(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ValueError(f"{name} is one of {', '.join(choices)}, not {value}")
    return value


_HEIGHTS = {
    "interpolation": lambda left, right: (left + right) / 2,
    "minoring": np.minimum,
    "majoring": np.maximum,
}


def _roc(tp, fp, tn, fn):
    """Rates of false and of true positives."""
    return divide(fp, fp + tn), divide(tp, tp + fn)


def _precision_recall(tp, fp, tn, fn):
    return divide(tp, tp + fn), divide(tp, tp + fp)


def _precision_recall_gain(tp, fp, tn, fn):
    """1 - odds * (errors / true positives), where the odds are those of a positive sample.

    A recall gain is at least 0; without true positives the gains are 0 and 1.
    """
    odds, none = divide(tp + fn, tn + fp), tp == 0
    recall_gain = np.where(none, 0, 1 - odds * divide(fn, tp))
    precision_gain = np.where(none, 1, 1 - odds * divide(fp, tp))
    return np.maximum(recall_gain, 0), precision_gain


_POINTS = {"ROC": _roc, "PR": _precision_recall, "PRGAIN": _precision_recall_gain}


def _interpolated_precision(tp, fp, tn, fn):
    """slope * (dtp + intercept * log(p[:-1] / p[1:])) / positives: precision between two points.

    True positives and all predicted positives p are taken to move together along a line. Source:
    Davis and Goadrich, The Relationship Between Precision-Recall and ROC Curves.
    """
    p = tp + fp
    dtp, dp = tp[:-1] - tp[1:], np.maximum(p[:-1] - p[1:], 0)
    slope = divide(dtp, dp)
    intercept = tp[1:] - slope * p[1:]
    ratio = np.where((p[:-1] > 0) & (p[1:] > 0), divide(p[:-1], p[1:]), 1)
    return divide(slope * (dtp + intercept * np.log(ratio)), tp[1:] + fn[1:])
