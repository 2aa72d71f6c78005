"""Focal cross-entropies: what is already predicted well counts less. Source: Lin et al., Focal
Loss for Dense Object Detection.
"""

import copy
import functools
from collections import abc
from collections.abc import Callable

import numpy as np

from scratch import activations

from .crossentropies import binary_losses
from .loss import FunctionLoss, Loss
from .per_sample import Forward, check_shapes, clip, smoothed


def binary_focal_crossentropy(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int | tuple[int, ...] | None = -1,
) -> Forward:
    """value = mean(weight * miss**gamma * losses) over axis, for the losses of binary_crossentropy.

    miss = 1 - (y_true * p + (1 - y_true) * (1 - p)), which is the probability of the wrong answer;
    p is y_pred, which is clipped in the losses alone, or sigmoid(y_pred) from logits. weight is 1,
    or with apply_class_balancing y_true * alpha + (1 - y_true) * (1 - alpha).
    """
    activation = activations.sigmoid if from_logits else activations.linear
    arguments = apply_class_balancing, alpha, gamma, label_smoothing, axis
    return binary_focal_behind(activation, y_true, y_pred, *arguments)


def binary_focal_behind(
    activation: Callable,
    y_true: np.ndarray,
    x: np.ndarray,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    label_smoothing: float = 0.0,
    axis: int | tuple[int, ...] | None = -1,
) -> Forward:
    """binary_focal_crossentropy of p = activation(x); linear says that x are probabilities.

    Behind any other activation, softmax as well, the losses are those of sigmoid(x), and only miss
    is that of p: so does Keras.
    """
    check_shapes("binary_focal_crossentropy", y_true, x)
    target = smoothed(y_true.astype(x.dtype), label_smoothing, 2)
    p, backward_p = activation(x)
    losses, backward_losses = binary_losses(target, x, activation is not activations.linear)
    miss = 1 - (target * p + (1 - target) * (1 - p))
    weight = target * alpha + (1 - target) * (1 - alpha) if apply_class_balancing else 1
    focus = weight * miss**gamma
    value = np.mean(focus * losses, axis=axis, keepdims=True)

    def backward(dvalue):
        dfocal = np.reshape(dvalue, value.shape) / (losses.size / value.size)
        dmiss = dfocal * losses * weight * gamma * miss ** (gamma - 1)
        return backward_losses(dfocal * focus) + backward_p(dmiss * (1 - 2 * target))

    return np.squeeze(value, axis), backward


def categorical_focal_crossentropy(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Forward:
    """value = sum(-alpha * (1 - p)**gamma * y_true * log(p)) over axis.

    p is as in categorical_crossentropy, but clipped from logits as well. alpha is a number, or a
    list of one for each class.
    """
    check_shapes("categorical_focal_crossentropy", y_true, y_pred)
    if np.shape(alpha) not in ((), (1,), y_pred.shape[-1:]):
        raise ValueError(
            f"alpha is a number or {y_pred.shape[-1]}, one for each class, not {alpha}"
        )
    target = smoothed(y_true.astype(y_pred.dtype), label_smoothing, y_true.shape[-1])
    if not from_logits:
        return _categorical_from_probabilities(target, y_pred, alpha, gamma, axis)
    probabilities, backward_softmax = activations.softmax(y_pred, axis)
    value, backward = _categorical_from_probabilities(target, probabilities, alpha, gamma, axis)
    return value, lambda dvalue: backward_softmax(backward(dvalue))


def _categorical_from_probabilities(
    target: np.ndarray, y_pred: np.ndarray, alpha: float, gamma: float, axis: int
) -> Forward:
    total = np.sum(y_pred, axis, keepdims=True)
    share = y_pred / total
    p, passes = clip(share)
    weight, miss = np.asarray(alpha, target.dtype) * target, 1 - p

    def backward(dvalue):
        dp = weight * (gamma * miss ** (gamma - 1) * np.log(p) - miss**gamma / p)
        dshare = np.expand_dims(dvalue, axis) * passes * dp
        return (dshare - np.sum(dshare * share, axis, keepdims=True)) / total

    return -np.sum(weight * miss**gamma * np.log(p), axis), backward


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

    def on_logits(self, activation: abc.Callable) -> Loss | None:
        """binary_focal_behind it, but None from_logits, where Keras takes y_pred for the logits."""
        if self.arguments["from_logits"]:
            return None
        twin = copy.copy(self)
        twin.function = functools.partial(binary_focal_behind, activation)
        twin.arguments = {k: v for k, v in self.arguments.items() if k != "from_logits"}
        return twin


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

    def on_logits(self, activation: abc.Callable) -> None:
        """None: Keras keeps to the probabilities here."""
