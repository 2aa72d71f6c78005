"""get: a metric by its name."""

from typing import Any

import numpy as np

from scratch.losses.loss import snake_case

from . import accuracies, confusion, curves, errors, metric, scores

_CLASSES = (
    metric.Mean,
    metric.Sum,
    accuracies.Accuracy,
    accuracies.BinaryAccuracy,
    accuracies.CategoricalAccuracy,
    accuracies.SparseCategoricalAccuracy,
    accuracies.TopKCategoricalAccuracy,
    accuracies.SparseTopKCategoricalAccuracy,
    errors.MeanSquaredError,
    errors.RootMeanSquaredError,
    errors.MeanAbsoluteError,
    errors.MeanAbsolutePercentageError,
    errors.MeanSquaredLogarithmicError,
    errors.LogCoshError,
    errors.CosineSimilarity,
    errors.R2Score,
    confusion.TruePositives,
    confusion.FalsePositives,
    confusion.TrueNegatives,
    confusion.FalseNegatives,
    confusion.Precision,
    confusion.Recall,
    scores.F1Score,
    scores.FBetaScore,
    curves.AUC,
)
_ALIASES = {
    "mse": errors.MeanSquaredError,
    "mae": errors.MeanAbsoluteError,
    "mape": errors.MeanAbsolutePercentageError,
    "msle": errors.MeanSquaredLogarithmicError,
}
_BY_NAME = (
    {snake_case(cls.__name__): cls for cls in _CLASSES}
    | {cls.__name__: cls for cls in _CLASSES}
    | _ALIASES
    | {alias.upper(): cls for alias, cls in _ALIASES.items()}
)


def get(identifier: Any) -> metric.Metric | None:
    """The metric of that name, class or function; a Metric is taken as it is, and so is None.

    A function of one's own takes y_true and y_pred and returns a value per sample; its mean is the
    metric. ValueError for an unknown name.
    """
    if identifier is None or isinstance(identifier, metric.Metric):
        return identifier
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return metric.MeanMetricWrapper(identifier, getattr(identifier, "__name__", None))
    if identifier not in list(_BY_NAME):
        raise ValueError(f"unknown metric {identifier!r}: choose from {', '.join(_BY_NAME)}")
    return _BY_NAME[identifier]()


def _resolve_accuracy(
    y_true: np.ndarray, y_pred: np.ndarray, name: str = "accuracy"
) -> metric.Metric:
    """What "accuracy" means to compile, by the shapes: binary, sparse or categorical accuracy."""
    if y_pred.shape[-1] == 1:
        return accuracies.BinaryAccuracy(name)
    if y_true.ndim < y_pred.ndim or y_true.shape[-1] == 1:
        return accuracies.SparseCategoricalAccuracy(name)
    return accuracies.CategoricalAccuracy(name)
