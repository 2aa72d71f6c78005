"""The loss functions as classes with Keras's arguments, and get, which finds them by name."""

from typing import Any

from .functions import (
    binary_crossentropy,
    categorical_crossentropy,
    mean_squared_error,
    sparse_categorical_crossentropy,
)
from .loss import FunctionLoss, Loss


class MeanSquaredError(FunctionLoss):
    """mean((y_pred - y_true)²): mean_squared_error, weighed and reduced as by Loss."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: str | None = None,
    ):
        super().__init__(mean_squared_error, reduction, name, dtype)


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

    def on_logits(self) -> Loss | None:
        return super().on_logits() if self.ignore_class is None else None

    def _mask(self, y_true):
        return None if self.ignore_class is None else y_true != self.ignore_class


_CLASS_OF_FUNCTION = {
    mean_squared_error: MeanSquaredError,
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
}
_CLASS_OF_NAME = (
    {function.__name__: cls for function, cls in _CLASS_OF_FUNCTION.items()}
    | {cls.__name__: cls for cls in _CLASS_OF_FUNCTION.values()}
    | dict.fromkeys(("mse", "MSE"), MeanSquaredError)
    | dict.fromkeys(("bce", "BCE"), BinaryCrossentropy)
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
