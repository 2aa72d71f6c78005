"""Keras's normalization layers: weights, moving averages and what they refuse."""

from typing import Any

import numpy as np

from scratch import initializers
from scratch.network import Layer

from .functions import (
    _one_or_several,
    batch_normalization,
    group_normalization,
    layer_normalization,
    normalize,
    normalize_batch,
    rms_normalization,
)


class _AxisLayer(Layer):
    """A layer that normalizes along `axis`, one or several, whose sizes it keeps from `build`."""

    several_axes = True

    def __init__(self, axis, epsilon, **kwargs):
        super().__init__(**kwargs)
        self.axis = _checked_axis(axis, self.several_axes)
        self.epsilon = epsilon

    def build(self, input_shape):
        self.sizes = self._sizes(input_shape)
        places = [axis % len(input_shape) for axis in _listed(self.axis)]
        if 0 in self.sizes or len(set(places)) < len(places):
            raise ValueError(f"{self.name} cannot normalize axis {self.axis} of {input_shape}")

    def _sizes(self, shape):
        """The sizes of `axis` in Keras's order, sorted; 0 for the samples and for no axis."""
        axes = sorted(_listed(self.axis))
        return tuple(shape[i] or 0 if -len(shape) <= i < len(shape) else 0 for i in axes)

    def check_input(self, x):
        if self._sizes(x.shape) != self.sizes:
            raise ValueError(
                f"{self.name} expects sizes {self.sizes} along axis {self.axis}, not {x.shape}"
            )


def _checked_axis(axis, several) -> Any:
    """axis. TypeError for what is no integer nor, where several are allowed, some of them."""
    given = axis if several and isinstance(axis, list | tuple) else [axis]
    if not all(isinstance(each, int) for each in given):
        allowed = "an integer or several" if several else "an integer"
        raise TypeError(f"axis is {allowed}, not {axis!r}")
    return axis


def _listed(axis):
    return axis if isinstance(axis, list | tuple) else [axis]


class _ScaledLayer(_AxisLayer):
    """An _AxisLayer with weights gamma, where it scales, and beta, where it centers."""

    gamma: np.ndarray | None = None
    beta: np.ndarray | None = None

    def __init__(self, axis, epsilon, center, scale, gamma, beta, **kwargs):
        """gamma and beta are (initializer, regularizer, constraint) of each."""
        super().__init__(axis, epsilon, **kwargs)
        self.center = center
        self.scale = scale
        self.choose("gamma", *gamma)
        self.choose("beta", *beta)

    def build(self, input_shape):
        super().build(input_shape)
        if self.scale:
            self.add_weight(name="gamma", shape=self.sizes, **self._choices["gamma"])
        if self.center:
            self.add_weight(name="beta", shape=self.sizes, **self._choices["beta"])


class BatchNormalization(_ScaledLayer):
    """y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, a number of each per channel.

    In training mean and variance are the batch's own, and the gradient passes through them. In
    inference, and with trainable=False, they are moving averages of those,
    moving_mean = moving_mean * momentum + mean * (1 - momentum), and moving_variance likewise.
    renorm and synchronized are left out, and so are masks in training, where Keras takes mean and
    variance of the unmasked steps: ValueError. Source: Ioffe and Szegedy, 2015.
    """

    supports_masking = True
    several_axes = False
    moving_mean: np.ndarray
    moving_variance: np.ndarray

    def __init__(
        self,
        axis=-1,
        momentum=0.99,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer="zeros",
        moving_variance_initializer="ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs,
    ):
        gamma = gamma_initializer, gamma_regularizer, gamma_constraint
        beta = beta_initializer, beta_regularizer, beta_constraint
        super().__init__(axis, epsilon, center, scale, gamma, beta, **kwargs)
        self.momentum = momentum
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape):
        super().build(input_shape)
        self.ndim = len(input_shape)
        for name in ("moving_mean", "moving_variance"):
            initializer = getattr(self, f"{name}_initializer")
            self.add_weight(self.sizes, initializer, trainable=False, name=name)

    def check_input(self, x):
        super().check_input(x)
        if x.ndim != self.ndim:
            raise ValueError(f"{self.name} expects {self.ndim} axes, not {x.shape}")

    def call(self, x, training=False, mask=None):
        if training and self.trainable:
            if mask is not None:
                raise ValueError(f"{self.name} takes no masked steps in training")
            return self._by_batch(x)
        return self._by_moving_averages(x)

    def _by_batch(self, x):
        (y, mean, variance), backward_y = normalize_batch(
            x, self.gamma, self.beta, self.axis, self.epsilon
        )
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, variance)
        # the moving averages take no part in the loss, so their gradients are zero
        return _as_call(y, lambda dy: backward_y([dy, 0, 0]))

    def _move(self, average, value):
        average[...] = average * self.momentum + np.real(value) * (1 - self.momentum)

    def _by_moving_averages(self, x):
        mean, variance = self.moving_mean, self.moving_variance
        y, backward_y = batch_normalization(
            x, mean, variance, self.axis, self.beta, self.gamma, self.epsilon
        )

        def backward(dy):
            dx, _, _, *offset_and_scale = backward_y(dy)
            return _one_or_several(dx, *reversed(offset_and_scale))

        return _as_call(y, backward)


def _as_call(y, backward_y):
    """(y, backward) as a layer's call returns them, from those of a function."""

    def backward(dy, needs_dx=True):
        gradients = backward_y(dy)
        dx, *gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        return dx if needs_dx else None, gradients

    return y, backward


class LayerNormalization(_ScaledLayer):
    """y = standardize(x) * gamma + beta, within each sample, over `axis`, one or several.

    rms_scaling, which Keras calls incorrect and deprecates, is left out: see RMSNormalization.
    Source: Ba, Kiros and Hinton, 2016.
    """

    supports_masking = True

    def __init__(
        self,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs,
    ):
        gamma = gamma_initializer, gamma_regularizer, gamma_constraint
        beta = beta_initializer, beta_regularizer, beta_constraint
        super().__init__(axis, epsilon, center, scale, gamma, beta, **kwargs)

    def call(self, x, training=False):
        weights = self.gamma, self.beta
        return _as_call(*layer_normalization(x, *weights, self.axis, self.epsilon))


class GroupNormalization(_ScaledLayer):
    """y = standardize(x) * gamma + beta, within each of a sample's groups of channels.

    groups=-1 makes every channel a group. ValueError where groups do not divide the channels.
    Source: Wu and He, 2018.
    """

    supports_masking = True
    several_axes = False

    def __init__(
        self,
        groups=32,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs,
    ):
        gamma = gamma_initializer, gamma_regularizer, gamma_constraint
        beta = beta_initializer, beta_regularizer, beta_constraint
        super().__init__(axis, epsilon, center, scale, gamma, beta, **kwargs)
        if not isinstance(groups, int) or (groups <= 0 and groups != -1):
            raise ValueError(f"groups is a positive integer, or -1 for all, not {groups!r}")
        self.groups = groups

    def build(self, input_shape):
        super().build(input_shape)
        (channels,) = self.sizes
        self.groups = channels if self.groups == -1 else self.groups
        if channels % self.groups:
            raise ValueError(f"{channels} channels do not fall into {self.groups} equal groups")

    def call(self, x, training=False):
        weights = self.gamma, self.beta
        return _as_call(*group_normalization(x, *weights, self.groups, self.axis, self.epsilon))


class RMSNormalization(_AxisLayer):
    """y = x / sqrt(mean(x²) + epsilon) * scale, within each sample, over `axis`, one or several.

    scale has the sizes of `axis`; Keras would multiply the last axes by it, whatever `axis` is.
    Source: Zhang and Sennrich, 2019.
    """

    scale: np.ndarray

    def __init__(self, axis=-1, epsilon=1e-6, **kwargs):
        super().__init__(axis, epsilon, **kwargs)

    def build(self, input_shape):
        super().build(input_shape)
        self.add_weight(name="scale", shape=self.sizes, initializer=initializers.Ones())

    def call(self, x, training=False):
        return _as_call(*rms_normalization(x, self.scale, self.axis, self.epsilon))


class UnitNormalization(Layer):
    """y = x / max(norm(x), 1e-12), the Euclidean norm over `axis`, one or several."""

    supports_masking = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = _checked_axis(axis, several=True)

    def call(self, x, training=False):
        return _as_call(*normalize(x, self.axis, epsilon=1e-12))
