"""Normalization of a batch, or of each sample: what is computed, and the way back through it."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from scratch import config

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
    if not x.size:
        raise ValueError(f"a batch of shape {x.shape} has no mean")
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
        self.others = tuple(i for i in range(len(self.sample)) if i != self.axis)

    def rows(self, x):
        return x.reshape(len(x), math.prod(self.sample))

    def spread(self, v):
        """A row with its channel's number in each place."""
        if v.shape == self.sample:
            return v
        row = np.empty(self.sample, v.dtype)
        row[...] = v.reshape(-1, *[1] * (len(self.sample) - self.axis - 1))
        return row.reshape(-1)

    def sum(self, *factors):
        """The sum of the product of one or two arrays of rows, for each channel."""
        row = np.einsum(",".join(["nm"] * len(factors)) + "->m", *factors)
        return row.reshape(self.sample).sum(self.others) if self.others else row


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
