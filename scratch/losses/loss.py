"""Loss: weighs and reduces what a loss function returns for each sample."""

import copy
import re
from collections import abc
from typing import Any

import numpy as np

from scratch import config

from .per_sample import Forward, squeeze_or_expand_to_same_rank

_REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss:
    """reduction(sample_weight * call(y_true, y_pred)), computed in dtype, or floatx if it is None.

    A subclass writes call, which returns (values, backward) like the functions above. reduction is
    "sum", "none" or None (the weighted values themselves), "sum_over_batch_size" or "mean" (their
    sum divided by their number), or "mean_with_sample_weight" (divided by the sum of the weights
    as they were given). ValueError for another, and for weights that do not fit the values.
    """

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: str | None = None,
    ):
        if reduction not in _REDUCTIONS:
            raise ValueError(f"unknown reduction {reduction!r}: choose from {_REDUCTIONS}")
        self.name = name or snake_case(type(self).__name__)
        self.reduction = reduction
        self.dtype = np.dtype(dtype or config.floatx()).name

    def call(self, y_true: np.ndarray, y_pred: np.ndarray) -> Forward:
        raise NotImplementedError

    def on_logits(self, activation: abc.Callable) -> "Loss | None":
        """This loss on the logits behind a softmax or sigmoid, or None where Keras takes y_pred.

        Keras takes the logits of either activation wherever y_pred reaches a cross-entropy
        untouched: not where ignore_class blanks some of it, nor where y_pred is cast to dtype.
        """
        return None

    def _mask(self, y_true: np.ndarray, values: np.ndarray) -> np.ndarray | None:
        """Which samples count at all; None where they all do."""
        return None

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> np.ndarray:
        """The reduced value."""
        return self.forward(y_true, y_pred, sample_weight)[0]

    def forward(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> Forward:
        """(reduced value, backward), where backward takes an array shaped like that value, or 1.

        mask, that of a network's y_pred, is True for the values that count.
        """
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
        values, backward_values = self.call(y_true, _cast(y_pred, self.dtype))
        weight = None if sample_weight is None else np.asarray(sample_weight, self.dtype)
        own_mask = self._mask(y_true, values)
        if own_mask is not None:
            own_mask = own_mask.reshape(values.shape)
            mask = own_mask if mask is None else mask & own_mask
        if mask is not None:
            weight = _masked(weight, mask, self.reduction, self.dtype)
        value, backward_reduction = _reduce(values, weight, self.reduction)

        def backward(dvalue=1):
            return backward_values(backward_reduction(dvalue)).astype(y_pred.dtype, copy=False)

        return value, backward


def snake_case(name: str) -> str:
    """The name that Keras gives to objects of a class: "TopKAccuracy" is "top_k_accuracy"."""
    return re.sub("(?<!^)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _cast(x: np.ndarray, dtype: str) -> np.ndarray:
    """x in dtype, except for the complex and long numbers that gradients are checked with."""
    return x if x.dtype.kind == "c" or x.dtype == np.longdouble else x.astype(dtype, copy=False)


def _masked(
    weight: np.ndarray | None, mask: np.ndarray, reduction: str | None, dtype: str
) -> np.ndarray:
    """weight where mask holds, else 0; for a mean times all / valid, so that it is of the valid."""
    counts = mask.astype(dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        counts *= mask.size / max(mask.sum(), 1)
    if weight is None:
        return counts
    counts, weight = _aligned_weight(counts, weight)
    return counts * weight


def _reduce(values: np.ndarray, weight: np.ndarray | None, reduction: str | None) -> Forward:
    """value = sum(values * weight) / divisor, dvalues = dvalue / divisor * weight."""
    is_weighted = weight is not None
    aligned, weight = _aligned_weight(values, weight)
    weighted = aligned * weight
    as_it_is = reduction in ("none", None) or weighted.shape in ((), (0,))
    if as_it_is or reduction == "sum":
        divisor = 1
    elif reduction == "mean_with_sample_weight" and is_weighted:
        divisor = weight.sum() or np.inf  # no weight at all makes 0, as Keras's divide_no_nan
    else:
        divisor = weighted.size or np.inf

    def backward(dvalue):
        return np.broadcast_to(dvalue / divisor * weight, weighted.shape).reshape(values.shape)

    return weighted if as_it_is else weighted.sum() / divisor, backward


def _aligned_weight(values: np.ndarray, weight: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """values and weight of one rank, so that weight broadcasts to values; 1 where it is None."""
    if weight is None:
        return values, np.ones((), values.dtype)
    aligned, weight = squeeze_or_expand_to_same_rank(values, weight)
    pairs = zip(reversed(weight.shape), reversed(aligned.shape), strict=False)
    if weight.ndim > aligned.ndim or any(n not in (1, m) for n, m in pairs):
        raise ValueError(
            f"sample_weight or mask of shape {weight.shape} does not fit losses of shape "
            f"{values.shape}"
        )
    return aligned, weight


class FunctionLoss(Loss):
    """function(y_true, y_pred, **arguments) as a loss: Keras's LossFunctionWrapper."""

    def __init__(
        self,
        function: abc.Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
        **arguments: Any,
    ):
        super().__init__(name or getattr(function, "__name__", None), reduction, dtype)
        self.function = function
        self.arguments = arguments

    def call(self, y_true: np.ndarray, y_pred: np.ndarray) -> Forward:
        target, prediction = squeeze_or_expand_to_same_rank(y_true, y_pred)
        values, backward = self.function(target, prediction, **self.arguments)
        return values, lambda dvalues: backward(dvalues).reshape(y_pred.shape)

    def on_logits(self, activation: abc.Callable) -> Loss | None:
        if "from_logits" not in self.arguments:
            return None
        twin = copy.copy(self)
        twin.arguments = self.arguments | {"from_logits": True}
        return twin
