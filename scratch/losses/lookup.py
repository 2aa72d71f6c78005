"""get: a loss by its name."""

from typing import Any

from . import classes
from .circle import circle
from .divergences import categorical_generalized_cross_entropy, kl_divergence, poisson
from .errors import (
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from .focal import binary_focal_crossentropy, categorical_focal_crossentropy
from .functions import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from .hinges import categorical_hinge, hinge, squared_hinge
from .loss import FunctionLoss, Loss
from .overlap import dice, tversky

_CLASS_OF_FUNCTION = {
    mean_squared_error: classes.MeanSquaredError,
    mean_absolute_error: classes.MeanAbsoluteError,
    mean_absolute_percentage_error: classes.MeanAbsolutePercentageError,
    mean_squared_logarithmic_error: classes.MeanSquaredLogarithmicError,
    huber: classes.Huber,
    log_cosh: classes.LogCosh,
    cosine_similarity: classes.CosineSimilarity,
    hinge: classes.Hinge,
    squared_hinge: classes.SquaredHinge,
    categorical_hinge: classes.CategoricalHinge,
    kl_divergence: classes.KLDivergence,
    poisson: classes.Poisson,
    binary_crossentropy: classes.BinaryCrossentropy,
    binary_focal_crossentropy: classes.BinaryFocalCrossentropy,
    categorical_crossentropy: classes.CategoricalCrossentropy,
    categorical_focal_crossentropy: classes.CategoricalFocalCrossentropy,
    sparse_categorical_crossentropy: classes.SparseCategoricalCrossentropy,
    categorical_generalized_cross_entropy: classes.CategoricalGeneralizedCrossEntropy,
    dice: classes.Dice,
    tversky: classes.Tversky,
    circle: classes.Circle,
}
_ALIASES = {
    "mse": classes.MeanSquaredError,
    "mae": classes.MeanAbsoluteError,
    "mape": classes.MeanAbsolutePercentageError,
    "msle": classes.MeanSquaredLogarithmicError,
    "bce": classes.BinaryCrossentropy,
    "kld": classes.KLDivergence,
}
_CLASS_OF_NAME = (
    {function.__name__: cls for function, cls in _CLASS_OF_FUNCTION.items()}
    | {cls.__name__: cls for cls in _CLASS_OF_FUNCTION.values()}
    | _ALIASES
    | {alias.upper(): cls for alias, cls in _ALIASES.items()}
)


def get(identifier: Any) -> Loss | None:
    """The loss of that name, class or function; a Loss is taken as it is, and so is None.

    A function of one's own takes y_true and y_pred and returns (value per sample, backward).
    ValueError for an unknown name.
    """
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        cls = _CLASS_OF_FUNCTION.get(identifier)
        return cls() if cls else FunctionLoss(identifier)
    if identifier not in list(_CLASS_OF_NAME):
        names = ", ".join(_CLASS_OF_NAME)
        raise ValueError(f"unknown loss {identifier!r}: choose from {names}")
    return _CLASS_OF_NAME[identifier]()
