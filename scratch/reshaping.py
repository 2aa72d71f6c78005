"""Layers that move numbers and compute nothing: what goes forth one way comes back the other."""

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .network import Layer
from .network.arguments import are_channels_first, integers, is_integer, per_axis, positive

_Array = np.ndarray
_Forward = tuple[_Array, Callable[[_Array], _Array]]
_Pairs = Sequence[tuple[int, int]]


def flatten(x: _Array) -> _Forward:
    """y = each sample in one row: (n, ...) to (n, i)."""
    y = _reshaped(x, [math.prod(x.shape[1:])])
    return y, lambda dy: _laid_like(x, dy.reshape(x.shape))


def reshape(x: _Array, target_shape: Sequence[int]) -> _Forward:
    """y = each sample in target_shape, where one size may be -1: what is left."""
    return _reshaped(x, target_shape), lambda dy: _laid_like(x, dy.reshape(x.shape))


def _reshaped(x, shape):
    """Each sample in that shape; a batch that lies last in memory stays there, ten times faster."""
    if x.strides[0] > x.itemsize:
        return x.reshape(len(x), *shape)
    return np.moveaxis(np.moveaxis(x, 0, -1).reshape(*shape, len(x)), -1, 0)


def _laid_like(x, dx):
    """dx in the memory order of x: what mixes orders is some seven times slower."""
    laid = np.empty_like(x, dx.dtype)
    laid[...] = dx
    return laid


def permute(x: _Array, dims: Sequence[int]) -> _Forward:
    """y = each sample with its axes, numbered from 1, in the order of dims."""
    there = (0, *dims)
    back = np.argsort(there)
    return x.transpose(there), lambda dy: dy.transpose(back)


def repeat_vector(x: _Array, n: int) -> _Forward:
    """y[s, t] = x[s] for n steps t; dx is the sum of dy over the steps."""
    return np.repeat(x[:, np.newaxis], n, axis=1), lambda dy: dy.sum(axis=1)


def zero_padding(x: _Array, padding: _Pairs) -> _Forward:
    """y = x with zeros around, (before, after) for each axis of a sample; dx = dy inside them."""
    return _framed(x, padding), lambda dy: dy[_inside(dy, padding)]


def cropping(x: _Array, cropping: _Pairs) -> _Forward:
    """y = x without its border, (before, after) for each axis of a sample; there dx is zero."""
    return x[_inside(x, cropping)], lambda dy: _framed(dy, cropping)


def _framed(x, border):
    """x with zeros around, in the memory order of x."""
    sizes = zip(border, x.shape[1:], strict=True)
    sizes = [before + size + after for (before, after), size in sizes]
    framed = np.zeros_like(x, shape=(len(x), *sizes))
    framed[_inside(framed, border)] = x
    return framed


def _inside(x, border):
    sizes = zip(border, x.shape[1:], strict=True)
    return (slice(None), *[slice(before, size - after) for (before, after), size in sizes])


def up_sampling(x: _Array, size: Sequence[int], interpolation: str = "nearest") -> _Forward:
    """y = x with size pixels for one, along each axis of a sample, as Keras's UpSampling layers.

    "nearest" repeats x, and dx is the sum of the dy of a pixel's copies. "bilinear" draws straight
    lines between the centers of the pixels, and keeps x outside of them; Keras computes it in
    float32, whatever x is. ValueError for other interpolations.
    """
    ways = {"nearest": _repeat, "bilinear": _interpolate}
    if interpolation not in ways:
        raise ValueError(f'interpolation is "nearest" or "bilinear", not {interpolation!r}')
    return ways[interpolation](x, size)


def _repeat(x, size):
    y = x
    for axis, copies in enumerate(size, start=1):
        y = np.repeat(y, copies, axis) if copies > 1 else y

    def backward(dy):
        copies = itertools.product(*map(range, size))
        return functools.reduce(np.add, (dy[_every(size, starts)] for starts in copies))

    return y, backward


def _every(steps, starts):
    axes = zip(starts, steps, strict=True)
    return (slice(None), *[slice(start, None, step) for start, step in axes])


def _interpolate(x, size):
    """y = a matrix times x along each axis; dx = its transpose times dy."""
    axes = [(a, s) for a, s in enumerate(size, start=1) if s > 1]
    matrices = {axis: _line(x.shape[axis], s, x.real.dtype) for axis, s in axes}

    def apply(x, transposed):
        for axis, matrix in matrices.items():
            columns = np.moveaxis(x, axis, -1) @ (matrix if transposed else matrix.T)
            x = np.moveaxis(columns, -1, axis)
        return x

    return apply(x, transposed=False), lambda dy: apply(dy, transposed=True)


def _line(pixels, size, dtype):
    """A row per output, with what it takes of each pixel; the first and last go on for ever."""
    centers = (np.arange(pixels * size) + 0.5) / size - 0.5
    distances = np.abs(np.clip(centers, 0, pixels - 1)[:, np.newaxis] - np.arange(pixels))
    return np.maximum(1 - distances, 0).astype(dtype)


class _Reshaping(Layer):
    """A layer without weights, y = function(x), for an x of `ndim` axes, None being any number."""

    by_sample = True
    ndim: int | None = None

    def function(self, x: _Array) -> _Forward:
        raise NotImplementedError

    def build(self, input_shape):
        if self.ndim not in (None, len(input_shape)):
            raise ValueError(f"{self.name} expects {self.ndim} axes, not {input_shape}")

    def check_input(self, x):
        self.build(x.shape)

    def _cast(self, x):
        """x in the layer's dtype; as in Keras, integers stay what they are."""
        x = np.asarray(x)
        return x if x.dtype.kind in "biu" else super()._cast(x)

    def call(self, x, training=False):
        y, backward = self.function(x)
        return y, lambda dy: (backward(dy), [])


class Flatten(_Reshaping):
    """y = each sample in one row, with channels_first the channels of each pixel side by side."""

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.channels_first = are_channels_first(data_format)

    def function(self, x):
        if not self.channels_first or x.ndim < 3:
            return flatten(x)
        moved, backward_moved = permute(x, (*range(2, x.ndim), 1))
        y, backward_y = flatten(moved)
        return y, lambda dy: backward_moved(backward_y(dy))

    def compute_output_shape(self, input_shape):
        batch, *sizes = input_shape
        return batch, None if None in sizes else math.prod(sizes)


class Reshape(_Reshaping):
    """y = each sample in target_shape, where one size may be -1 or None: what is left.

    ValueError where the sample has not as many numbers.
    """

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        if isinstance(target_shape, list | tuple):
            target_shape = tuple(-1 if size is None else size for size in target_shape)
        self.target_shape = integers(target_shape, "target_shape")
        if min(self.target_shape, default=1) < -1 or self.target_shape.count(-1) > 1:
            raise ValueError(f"target_shape takes sizes and at most one -1, not {target_shape}")

    def build(self, input_shape):
        self.compute_output_shape(input_shape)

    def function(self, x):
        return reshape(x, self.compute_output_shape(x.shape)[1:])

    def compute_output_shape(self, input_shape) -> tuple[Any, ...]:
        if None in input_shape[1:]:
            return input_shape[0], *[None if n == -1 else n for n in self.target_shape]
        size = math.prod(input_shape[1:])
        known = math.prod(length for length in self.target_shape if length != -1)
        left = size // known if known else 0
        shape = tuple(left if length == -1 else length for length in self.target_shape)
        if math.prod(shape) != size:
            raise ValueError(f"{self.name} cannot make {self.target_shape} of {input_shape[1:]}")
        return input_shape[0], *shape


class Permute(_Reshaping):
    """y = each sample with its axes, numbered from 1, in the order of dims."""

    def __init__(self, dims, **kwargs):
        super().__init__(**kwargs)
        self.dims = integers(dims, "dims")
        self.ndim = len(self.dims) + 1
        if sorted(self.dims) != list(range(1, self.ndim)):
            raise ValueError(f"dims takes the numbers from 1 to its length, once each, not {dims}")

    def function(self, x):
        return permute(x, self.dims)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[axis] for axis in (0, *self.dims))


class RepeatVector(_Reshaping):
    """y = n copies of each sample's vector, one after the other: (s, i) to (s, n, i)."""

    ndim = 2

    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        self.n = positive(n, "n")

    def function(self, x):
        return repeat_vector(x, self.n)

    def compute_output_shape(self, input_shape):
        return input_shape[0], self.n, input_shape[1]


class _PerAxis(_Reshaping):
    """A layer that changes each axis of an image as `changes` says, its channels not at all."""

    def __init__(self, pixel_changes, no_change, data_format=None, **kwargs):
        super().__init__(**kwargs)
        channels = [no_change]
        first = are_channels_first(data_format)
        self.changes = channels * first + list(pixel_changes) + channels * (not first)
        self.ndim = len(self.changes) + 1

    def changed(self, size, change) -> int:
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        axes = zip(input_shape[1:], self.changes, strict=True)
        sizes = [None if size is None else self.changed(size, change) for size, change in axes]
        return input_shape[0], *sizes


class _ZeroPadding(_PerAxis):
    def function(self, x):
        return zero_padding(x, self.changes)

    def changed(self, size, change):
        return size + sum(change)


class ZeroPadding1D(_ZeroPadding):
    """y = x with zeros before and after its steps; padding is one number for both, or a pair."""

    def __init__(self, padding=1, data_format=None, **kwargs):
        self.padding = per_axis(padding, 2, "padding", least=0)
        super().__init__([self.padding], (0, 0), data_format, **kwargs)


class ZeroPadding2D(_ZeroPadding):
    """y = x with zeros around: padding is one number, (h, w), or ((top, bottom), (left, right))."""

    def __init__(self, padding=(1, 1), data_format=None, **kwargs):
        self.padding = _two_pairs(padding, "padding")
        super().__init__(self.padding, (0, 0), data_format, **kwargs)


def _two_pairs(value, name):
    values = (value, value) if is_integer(value) else value
    if not isinstance(values, list | tuple | np.ndarray) or len(values) != 2:
        raise ValueError(f"{name} takes an integer or a pair for height and width, not {value!r}")
    return tuple(per_axis(entry, 2, name, least=0) for entry in values)


class _Cropping(_PerAxis):
    def build(self, input_shape):
        super().build(input_shape)
        self.compute_output_shape(input_shape)

    def function(self, x):
        return cropping(x, self.changes)

    def changed(self, size, change):
        if sum(change) >= size:
            raise ValueError(f"{self.name} cannot take {change} off an axis of {size}")
        return size - sum(change)


class Cropping1D(_Cropping):
    """y = x without steps at its start and end; cropping is one number for both, or a pair."""

    def __init__(self, cropping=(1, 1), **kwargs):
        self.cropping = per_axis(cropping, 2, "cropping", least=0)
        super().__init__([self.cropping], (0, 0), **kwargs)


class Cropping2D(_Cropping):
    """y = x without its border: cropping as the padding of ZeroPadding2D."""

    def __init__(self, cropping=((0, 0), (0, 0)), data_format=None, **kwargs):
        self.cropping = _two_pairs(cropping, "cropping")
        super().__init__(self.cropping, (0, 0), data_format, **kwargs)


class _UpSampling(_PerAxis):
    interpolation = "nearest"

    def function(self, x):
        return up_sampling(x, self.changes, self.interpolation)

    def changed(self, size, change):
        return size * change


class UpSampling1D(_UpSampling):
    """y = each step of x, `size` times."""

    def __init__(self, size=2, **kwargs):
        self.size = positive(size, "size")
        super().__init__([self.size], 1, **kwargs)


class UpSampling2D(_UpSampling):
    """y = x with size pixels for one, (down, across), "nearest" or "bilinear": see up_sampling.

    Integers that are "bilinear" become floats; Keras rounds what lies between them.
    """

    def __init__(self, size=(2, 2), data_format=None, interpolation="nearest", **kwargs):
        self.size = per_axis(size, 2, "size", least=1)
        super().__init__(self.size, 1, data_format, **kwargs)
        self.interpolation = str(interpolation).lower()

    def _cast(self, x):
        """x as it is to be repeated, but in floats where there are lines to draw."""
        return super()._cast(x) if self.interpolation == "nearest" else Layer._cast(self, x)
