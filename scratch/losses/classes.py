"""The loss functions as classes with Keras's arguments: they weigh and reduce as Loss does."""

import copy
import functools
from collections.abc import Callable

import numpy as np

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
from .focal import (
    binary_focal_behind,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
)
from .functions import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from .hinges import categorical_hinge, hinge, squared_hinge
from .loss import FunctionLoss, Loss
from .overlap import dice, tversky


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


class BinaryCrossentropy(FunctionLoss):
    """-y_true * log(p) - (1 - y_true) * log(1 - p): binary_crossentropy, reduced as by Loss."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(
            binary_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class BinaryFocalCrossentropy(FunctionLoss):
    """mean(miss**gamma * losses): binary_focal_crossentropy, reduced as by Loss."""

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(
            binary_focal_crossentropy,
            reduction,
            name,
            dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )

    def on_logits(self, activation: Callable) -> Loss | None:
        """binary_focal_behind it, but None from_logits, where Keras takes y_pred for the logits."""
        if self.arguments["from_logits"]:
            return None
        twin = copy.copy(self)
        twin.function = functools.partial(binary_focal_behind, activation)
        twin.arguments = {k: v for k, v in self.arguments.items() if k != "from_logits"}
        return twin


class CategoricalCrossentropy(FunctionLoss):
    """sum(-y_true * log(p)) for one-hot y_true: categorical_crossentropy, reduced as by Loss."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(
            categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalFocalCrossentropy(FunctionLoss):
    """sum(-alpha * (1 - p)**gamma * y_true * log(p)): categorical_focal_crossentropy, reduced."""

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(
            categorical_focal_crossentropy,
            reduction,
            name,
            dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )

    def on_logits(self, activation: Callable) -> None:
        """None: Keras keeps to the probabilities here."""


class SparseCategoricalCrossentropy(FunctionLoss):
    """-log(p[y_true]) for integers y_true: sparse_categorical_crossentropy, reduced as by Loss.

    Samples of class ignore_class count neither in a sum nor in the number that divides it.
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(
            sparse_categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.ignore_class = ignore_class

    def on_logits(self, activation: Callable) -> Loss | None:
        return super().on_logits(activation) if self.ignore_class is None else None

    def _mask(self, y_true, values):
        return None if self.ignore_class is None else y_true != self.ignore_class


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
