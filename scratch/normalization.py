"""Normalization: numbers brought to mean 0 and variance 1, over the batch or within each sample."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from . import config, initializers
from .network import Layer

_Array = np.ndarray
_Axes = int | Sequence[int]
_Forward = tuple[_Array, Callable]


def standardize(x: _Array, axes: _Axes, epsilon: float = 1e-3) -> _Forward:
    """y = (x - mean(x)) / sqrt(variance(x) + epsilon), mean and variance over the axes.

    dx = (dy - mean(dy) - y * mean(dy * y)) / sqrt(variance + epsilon): every x also moves the mean,
    which is the second term, and the variance, the third. The variance divides by the number of
    elements, not by one less.
    """
    axes = _axes(axes, x)
    return _standardize(x, lambda *factors: _mean(axes, *factors), epsilon)


def _standardize(x, mean, epsilon):
    """standardize, where mean(dy, y) is the mean of dy * y in a shape that broadcasts to x's."""
    y = x - mean(x)
    inverse = 1 / np.sqrt(mean(y, y) + epsilon)
    y *= inverse

    def backward(dy):
        dx = dy - mean(dy)
        dx -= y * mean(dy, y)
        dx *= inverse
        return dx

    return y, backward


def _axes(axis, x):
    """`axis`, one or several, as a tuple of numbers from 0. ValueError for axes x has not."""
    return np.lib.array_utils.normalize_axis_tuple(axis, x.ndim)


def _mean(axes, *factors):
    """The mean of the factors' product over the axes, which stay with size 1."""
    return _sum(axes, *factors) / math.prod(factors[0].shape[axis] for axis in axes)


def _sum(axes, *factors):
    """The sum of the factors' product over the axes, which stay with size 1.

    einsum is faster than sum here, and makes no array of the products.
    """
    every = list(range(factors[0].ndim))
    operands = [part for factor in factors for part in (factor, every)]
    total = np.einsum(*operands, [axis for axis in every if axis not in axes])
    return np.expand_dims(total, axes)


def batch_normalization(
    x: _Array,
    mean: _Array,
    variance: _Array,
    axis: int,
    offset: _Array | None = None,
    scale: _Array | None = None,
    epsilon: float = 1e-3,
) -> _Forward:
    """y = (x - mean) / sqrt(variance + epsilon) * scale + offset, a number of each per channel.

    The channels are the entries of `axis`, any but the first. backward gives dx, dmean, dvariance,
    and doffset and dscale where those are given. As in Keras, y is computed as
    x * slope + (offset - mean * slope), for slope = scale / sqrt(variance + epsilon).
    """
    channels = _Channels(x, axis)
    rows = channels.rows(x)
    inverse = 1 / np.sqrt(variance + epsilon)
    slope = inverse if scale is None else inverse * scale
    y = rows * channels.spread(slope)
    y += channels.spread(-mean * slope if offset is None else offset - mean * slope)

    def backward(dy):
        dy = channels.rows(dy)
        doffset = channels.sum(dy)
        dscale = channels.sum(dy, rows - channels.spread(mean)) * inverse
        dx = (dy * channels.spread(slope)).reshape(x.shape)
        given = _given((doffset, offset), (dscale, scale))
        return dx, -slope * doffset, dscale * slope * inverse / -2, *given

    return y.reshape(x.shape), backward


def normalize_batch(
    x: _Array,
    gamma: _Array | None = None,
    beta: _Array | None = None,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> tuple[list[_Array], Callable]:
    """[y, mean, variance], y the batch_normalization of x by its own mean and variance.

    Both are taken per channel, an entry of `axis`, over all other axes. With
    z = (x - mean) / sqrt(variance + epsilon) and y = z * gamma + beta,
    dx = (dy - mean(dy) - z * mean(dy * z)) * gamma / sqrt(variance + epsilon), dgamma = sum(dy * z)
    and dbeta = sum(dy); dmean and dvariance add to dx. Keras computes y as batch_normalization
    does, which is the same but for rounding. Source: Ioffe and Szegedy, 2015.
    """
    channels = _Channels(x, axis)
    rows, number = channels.rows(x), x.size // x.shape[axis]
    mean = channels.sum(rows) / number
    centered = rows - channels.spread(mean)
    variance = channels.sum(centered, centered) / number
    inverse = 1 / np.sqrt(variance + epsilon)
    slope = inverse if gamma is None else inverse * gamma
    y = centered * channels.spread(slope)
    if beta is not None:
        y += channels.spread(beta)

    def backward(dys):
        dy, dmean, dvariance = dys
        dy = channels.rows(dy)
        dbeta = channels.sum(dy)
        dgamma = channels.sum(dy, centered) * inverse
        dx = dy * channels.spread(slope)
        dx += centered * channels.spread((2 * dvariance - slope * inverse * dgamma) / number)
        dx += channels.spread((dmean - slope * dbeta) / number)
        return _one_or_several(dx.reshape(x.shape), *_given((dgamma, gamma), (dbeta, beta)))

    return [y.reshape(x.shape), mean, variance], backward


class _Channels:
    """Samples as long rows, and a number per channel, an entry of `axis`, spread along such a row.

    NumPy is several times faster on long rows than on the few channels of each pixel in turn, and
    sums over samples, then over pixels, round less.
    """

    def __init__(self, x, axis):
        self.axis = np.lib.array_utils.normalize_axis_index(axis, x.ndim) - 1
        self.sample = x.shape[1:]
        if self.axis < 0:
            raise ValueError(f"axis {axis} of an x of shape {x.shape} holds samples, not channels")

    def rows(self, x):
        return x.reshape(len(x), -1)

    def spread(self, v):
        """A row with its channel's number in each place."""
        row = np.empty(self.sample, v.dtype)
        row[...] = v.reshape(-1, *[1] * (len(self.sample) - self.axis - 1))
        return row.reshape(-1)

    def sum(self, *factors):
        """The sum of the product of one or two arrays of rows, for each channel."""
        row = np.einsum(",".join(["nm"] * len(factors)) + "->m", *factors)
        others = tuple(i for i in range(len(self.sample)) if i != self.axis)
        return row.reshape(self.sample).sum(others) if others else row


def layer_normalization(
    x: _Array,
    gamma: _Array | None = None,
    beta: _Array | None = None,
    axis: _Axes = -1,
    epsilon: float | None = None,
) -> _Forward:
    """y = standardize(x) * gamma + beta, within each sample: over `axis`, one or several.

    gamma and beta have the sizes of these axes. dx is that of standardize at dy * gamma,
    dgamma = sum(dy * standardize(x)) and dbeta = sum(dy) over the other axes. epsilon=None is
    config.epsilon(). Source: Ba, Kiros and Hinton, 2016.
    """
    z, backward_z = standardize(x, axis, _or_default(epsilon))
    y, backward_y = _scale_and_shift(z, gamma, beta, axis)

    def backward(dy):
        dz, *gradients = backward_y(dy)
        return _one_or_several(backward_z(dz), *gradients)

    return y, backward


def group_normalization(
    x: _Array,
    gamma: _Array | None = None,
    beta: _Array | None = None,
    groups: int = 32,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> _Forward:
    """y = standardize(x) * gamma + beta, within each of a sample's groups of channels.

    The channels are the entries of `axis`, neighbours share a group, and gamma and beta have a
    number per channel. Gradients as in layer_normalization. Source: Wu and He, 2018.
    """
    (axis,) = _axes(axis, x)
    pixels = [i for i in range(1, x.ndim) if i != axis]

    def mean(*factors):
        """The mean over a group's channels of their own means, in the place of each."""
        means = _mean(pixels, *factors)
        of_groups = means.reshape(len(x), groups, -1)
        mean_of_groups = of_groups.mean(-1, keepdims=True)
        return np.broadcast_to(mean_of_groups, of_groups.shape).reshape(means.shape)

    z, backward_z = _standardize(x, mean, epsilon)
    y, backward_y = _scale_and_shift(z, gamma, beta, axis)

    def backward(dy):
        dz, *gradients = backward_y(dy)
        return _one_or_several(backward_z(dz), *gradients)

    return y, backward


def rms_normalization(
    x: _Array, scale: _Array | None = None, axis: _Axes = -1, epsilon: float | None = None
) -> _Forward:
    """y = z * scale, z = x / sqrt(mean(x²) + epsilon), the mean over `axis`, one or several.

    With dz = dy * scale, dx = (dz - z * mean(dz * z)) / sqrt(mean(x²) + epsilon), and
    dscale = sum(dy * z) over the other axes. scale has the sizes of `axis`; Keras would multiply
    the last axes by it, whatever `axis` is. epsilon=None is config.epsilon().
    Source: Zhang and Sennrich, 2019.
    """
    axes = _axes(axis, x)
    inverse = 1 / np.sqrt(_mean(axes, x, x) + _or_default(epsilon))
    z = x * inverse
    y, backward_y = _scale_and_shift(z, scale, None, axes)

    def backward(dy):
        dz, *gradients = backward_y(dy)
        dx = dz - z * _mean(axes, dz, z)
        dx *= inverse
        return _one_or_several(dx, *gradients)

    return y, backward


def _scale_and_shift(z, gamma, beta, axis):
    """y = z * gamma + beta, each of the sizes of `axis` or None; dz and the gradients of those."""
    axes = _axes(axis, z)
    others = [i for i in range(z.ndim) if i not in axes]
    shape = [1 if i in others else z.shape[i] for i in range(z.ndim)]
    y = z.copy() if gamma is None else z * gamma.reshape(shape)
    if beta is not None:
        y += beta.reshape(shape)

    def backward(dy):
        dz = dy if gamma is None else dy * gamma.reshape(shape)
        dgamma = None if gamma is None else _sum(others, dy, z).reshape(gamma.shape)
        dbeta = None if beta is None else _sum(others, dy).reshape(beta.shape)
        return dz, *_given((dgamma, gamma), (dbeta, beta))

    return y, backward


def normalize(
    x: _Array, axis: _Axes = -1, order: int = 2, epsilon: float | None = None
) -> _Forward:
    """y = x / max(norm(x), epsilon), the Euclidean norm over `axis`, one or several.

    dx = (dy - y * sum(dy * y)) / norm(x), but dy / epsilon where the norm is below epsilon, which
    None makes config.epsilon(). ValueError for an order other than 2, that of the Euclidean norm.
    """
    if order != 2:
        raise ValueError(f"normalize takes order 2, the Euclidean norm, not {order!r}")
    axes = _axes(axis, x)
    epsilon = _or_default(epsilon)
    norm = np.sqrt(_sum(axes, x, x))
    is_long = np.real(norm) >= epsilon
    inverse = 1 / np.where(is_long, norm, epsilon)
    y = x * inverse

    def backward(dy):
        return (dy - y * (_sum(axes, dy, y) * is_long)) * inverse

    return y, backward


def _or_default(epsilon):
    return config.epsilon() if epsilon is None else epsilon


def _given(*pairs):
    """The gradients of those parameters that are not None."""
    return [gradient for gradient, parameter in pairs if parameter is not None]


def _one_or_several(dx, *gradients):
    return (dx, *gradients) if gradients else dx


class _AxisLayer(Layer):
    """A layer that normalizes along `axis`, one or several, whose sizes it keeps from `build`."""

    def __init__(self, axis, epsilon, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        self.sizes = self._sizes(input_shape)
        if 0 in self.sizes:
            raise ValueError(f"{self.name} cannot normalize axis {self.axis} of {input_shape}")

    def _sizes(self, shape):
        """The sizes of `axis` in Keras's order, sorted; 0 for the samples and for no axis."""
        axes = sorted(self.axis) if isinstance(self.axis, list | tuple) else [self.axis]
        return tuple(shape[i] or 0 if -len(shape) <= i < len(shape) else 0 for i in axes)

    def check_input(self, x):
        if self._sizes(x.shape) != self.sizes:
            raise ValueError(
                f"{self.name} expects sizes {self.sizes} along axis {self.axis}, not {x.shape}"
            )


class _ScaledLayer(_AxisLayer):
    """An _AxisLayer with weights gamma, where it scales, and beta, where it centers."""

    gamma: np.ndarray | None = None
    beta: np.ndarray | None = None

    def __init__(self, axis, epsilon, center, scale, beta_initializer, gamma_initializer, **kwargs):
        super().__init__(axis, epsilon, **kwargs)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)

    def build(self, input_shape):
        super().build(input_shape)
        if self.scale:
            self.add_weight(name="gamma", shape=self.sizes, initializer=self.gamma_initializer)
        if self.center:
            self.add_weight(name="beta", shape=self.sizes, initializer=self.beta_initializer)


class BatchNormalization(_ScaledLayer):
    """y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, a number of each per channel.

    In training mean and variance are the batch's own, and the gradient passes through them. In
    inference, and with trainable=False, they are moving averages of those,
    moving_mean = moving_mean * momentum + mean * (1 - momentum), and moving_variance likewise.
    Masks, renorm and synchronized are left out. Source: Ioffe and Szegedy, 2015.
    """

    moving_mean: np.ndarray
    moving_variance: np.ndarray

    def __init__(
        self,
        axis=-1,
        momentum=0.99,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        moving_mean_initializer="zeros",
        moving_variance_initializer="ones",
        **kwargs,
    ):
        super().__init__(
            axis, epsilon, center, scale, beta_initializer, gamma_initializer, **kwargs
        )
        self.momentum = momentum
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape):
        super().build(input_shape)
        for name in ("moving_mean", "moving_variance"):
            initializer = getattr(self, f"{name}_initializer")
            self.add_weight(self.sizes, initializer, trainable=False, name=name)

    def check_input(self, x):
        super().check_input(x)
        if x.ndim < 2:
            raise ValueError(f"{self.name} expects (samples, ..., channels), not {x.shape}")

    def call(self, x, training=False):
        if training and self.trainable:
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

    def __init__(
        self,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        **kwargs,
    ):
        super().__init__(
            axis, epsilon, center, scale, beta_initializer, gamma_initializer, **kwargs
        )

    def call(self, x, training=False):
        weights = self.gamma, self.beta
        return _as_call(*layer_normalization(x, *weights, self.axis, self.epsilon))


class GroupNormalization(_ScaledLayer):
    """y = standardize(x) * gamma + beta, within each of a sample's groups of channels.

    groups=-1 makes every channel a group. ValueError where groups do not divide the channels.
    Source: Wu and He, 2018.
    """

    def __init__(
        self,
        groups=32,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        **kwargs,
    ):
        super().__init__(
            axis, epsilon, center, scale, beta_initializer, gamma_initializer, **kwargs
        )
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

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, x, training=False):
        return _as_call(*normalize(x, self.axis, epsilon=1e-12))
