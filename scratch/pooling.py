"""Pooling: each window of an image gives one number, its largest or its average."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .network import Layer
from .network.arguments import are_channels_first, per_axis

_Array = np.ndarray
_Forward = tuple[_Array, Callable[[_Array], _Array]]
_Sizes = int | tuple[int, ...]


def max_pool(
    inputs: _Array,
    pool_size: _Sizes,
    strides: _Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> _Forward:
    """y = the largest number of each window, for inputs (n, steps, c) or (n, h, w, c).

    dx is dy where the largest number was, the first of equal ones in rows from above, as in
    TensorFlow. Windows are pool_size wide and `strides` apart, pool_size for None. "valid" has only
    windows inside of the image; with "same" there is one for every stride, and what hangs over
    does not count. data_format="channels_first" is for (n, c, steps) and (n, c, h, w).
    """
    return _in_turn(_largest, inputs, pool_size, strides, padding, data_format)


def average_pool(
    inputs: _Array,
    pool_size: _Sizes,
    strides: _Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> _Forward:
    """y = the average of each window, of its pixels inside of the image; otherwise as max_pool.

    dx is the sum of dy / (the number of those pixels) over the windows that a pixel is in.
    """
    return _in_turn(_average, inputs, pool_size, strides, padding, data_format)


def _in_turn(pool, x, *settings) -> _Forward:
    """pool along the last axis of pixels, then along the one before.

    The largest of a window is the largest of its rows' largest, and its average their average.
    """
    backwards = []
    for windows in reversed(_windows(x.shape, *settings)):
        x, backward = pool(x, windows)
        backwards.append(backward)

    def backward_in_turn(dy):
        for backward in reversed(backwards):
            dy = backward(dy)
        return dy

    return x, backward_in_turn


def _largest(x, windows):
    """The largest number of each window; what a cell does not win of its dy is left to the next."""
    x = windows.padded(x, -np.inf)
    first, *others = cells = windows.cells(x)
    y = functools.reduce(_larger, others or [first], first)

    def backward(dy):
        dx, shares = windows.shares(x, dy)
        left = dy
        for cell, share, rest in zip(cells, shares, shares[1:], strict=False):
            np.multiply(left, cell != y, out=rest)
            np.subtract(left, rest, out=share)
            left = rest
        shares[-1][...] = left
        return windows.collected(dx, shares)

    return y, backward


def _larger(a, b):
    """The larger of both, a where they are equal; complex numbers by their real parts."""
    return np.where(a.real >= b.real, a, b) if np.iscomplexobj(a) else np.maximum(a, b)


def _average(x, windows):
    """The average of the pixels that each window has inside of the image."""
    number = windows.pixels(x)
    x = windows.padded(x, 0)
    y = functools.reduce(np.add, windows.cells(x)) / number

    def backward(dy):
        dx, shares = windows.shares(x, dy)
        for share in shares:
            np.divide(dy, number, out=share)
        return windows.collected(dx, shares)

    return y, backward


@dataclass(frozen=True)
class _Windows:
    """`count` windows of `size` pixels along an axis, a stride apart, over pads (before, after).

    A cell is what all windows have in one place of a window: a view of a padded x.
    """

    axis: int
    size: int
    stride: int
    count: int
    pads: tuple[int, int]

    def padded(self, x, value):
        """x with pixels of that value where windows hang over."""
        if not any(self.pads):
            return x
        pads = [(0, 0)] * x.ndim
        pads[self.axis] = self.pads
        return np.pad(x, pads, constant_values=value)

    def cells(self, x) -> list[_Array]:
        """The cells of a padded x, from the front."""
        length = self.stride * (self.count - 1) + 1
        starts = range(self.size)
        return [self._along(x, slice(start, start + length, self.stride)) for start in starts]

    def shares(self, x, dy) -> tuple[_Array, list[_Array]]:
        """(dx, what its cells get, not yet filled): cells of dx itself where no windows overlap."""
        dx = np.empty_like(x, dy.dtype)
        own = self._tile(dx)
        return dx, self.cells(dx) if own else [np.empty_like(dy) for _ in range(self.size)]

    def collected(self, dx, shares) -> _Array:
        """dx, the sum of what the windows send to each pixel, without the padding."""
        if not self._tile(dx):
            dx[...] = 0
            for cell, share in zip(self.cells(dx), shares, strict=True):
                cell += share
        before, after = self.pads
        return self._along(dx, slice(before, dx.shape[self.axis] - after))

    def pixels(self, x) -> _Array:
        """The number of pixels inside of the image, for each window."""
        image = [1] * x.ndim
        image[self.axis] = x.shape[self.axis]
        ones = np.ones(image, np.real(x).dtype)
        return functools.reduce(np.add, self.cells(self.padded(ones, 0)))

    def _along(self, x, part):
        return x[(*[slice(None)] * self.axis, part)]

    def _tile(self, x):
        """Whether each pixel of a padded x is in one window."""
        return self.size == self.stride and self.size * self.count == x.shape[self.axis]


def _windows(shape, pool_size, strides, padding, data_format) -> list[_Windows]:
    """The windows along each axis of pixels of inputs of that shape."""
    if len(shape) not in (3, 4):
        raise ValueError(f"pooling takes inputs of 3 or 4 axes, not {shape}")
    axes = _pixel_axes(len(shape), data_format)
    sizes = per_axis(pool_size, len(axes), "pool_size", least=1)
    strides = per_axis(pool_size if strides is None else strides, len(axes), "strides", least=1)
    settings = list(zip(axes, sizes, strides, strict=True))
    return [_Windows(*each, *_fit(shape[each[0]], *each[1:], padding)) for each in settings]


def _pixel_axes(ndim, data_format):
    """The axes of an image, or the one of a sequence: all but the samples and the channels."""
    return tuple(range(2, ndim)) if are_channels_first(data_format) else tuple(range(1, ndim - 1))


def _fit(pixels, size, stride, padding):
    """The number of windows along an axis, and the pixels (before, after) that they hang over."""
    if _checked_padding(padding) == "valid":
        if size > pixels:
            raise ValueError(f'no window of {size} fits into {pixels} pixels with padding="valid"')
        return (pixels - size) // stride + 1, (0, 0)
    windows = math.ceil(pixels / stride)
    over = max((windows - 1) * stride + size - pixels, 0)
    return windows, (over // 2, over - over // 2)


def _checked_padding(padding):
    if str(padding).lower() not in ("valid", "same"):
        raise ValueError(f'padding is "valid" or "same", not {padding!r}')
    return padding.lower()


def global_max_pool(x: _Array, data_format: str | None = None, keepdims: bool = False) -> _Forward:
    """y = the largest number of each channel, for x (n, steps, c) or (n, h, w, c).

    Equal largest numbers share dy, as in TensorFlow's reduce_max, and unlike in max_pool.
    """
    axes = _pixel_axes(x.ndim, data_format)
    if 0 in x.shape[1:]:
        raise ValueError(f"global_max_pool finds nothing largest in an x of shape {x.shape}")
    largest = np.real(x).max(axes, keepdims=True)

    def shared(a):
        wins = np.real(x) == largest
        return a * wins / wins.sum(axes, keepdims=True, dtype=largest.dtype)

    y = shared(x).sum(axes, keepdims=True) if np.iscomplexobj(x) else largest
    return _dropped(y, axes, keepdims), lambda dy: shared(_restored(dy, axes, keepdims))


def global_average_pool(
    x: _Array, data_format: str | None = None, keepdims: bool = False, mask: _Array | None = None
) -> _Forward:
    """y = the average of each channel, for x (n, steps, c) or (n, h, w, c); dx = dy / number.

    A mask, without the axis of the channels, says which places count; the others' dx is zero.
    """
    axes = _pixel_axes(x.ndim, data_format)
    places = [n for axis, n in enumerate(x.shape) if axis in (0, *axes)]
    seen = np.ones(places, bool) if mask is None else np.asarray(mask, bool)
    if list(seen.shape) != places:
        raise ValueError(f"a mask of shape {tuple(places)} is expected, not {seen.shape}")
    seen = np.expand_dims(seen, 1 if are_channels_first(data_format) else -1)
    number = seen.sum(axes, keepdims=True, dtype=np.real(x).dtype)
    y = np.where(seen, x, 0).sum(axes, keepdims=True) / number

    def backward(dy):
        return np.where(seen, _restored(dy, axes, keepdims) / number, 0)

    return _dropped(y, axes, keepdims), backward


def _dropped(y, axes, keepdims):
    return y if keepdims else y.squeeze(axes)


def _restored(dy, axes, keepdims):
    return dy if keepdims else np.expand_dims(dy, axes)


class _Pooling(Layer):
    """A layer without weights, y = function(x), for inputs with `rank` axes of pixels."""

    rank = 2

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = "channels_first" if are_channels_first(data_format) else "channels_last"

    def function(self, x: _Array, **arguments) -> _Forward:
        raise NotImplementedError

    def build(self, input_shape):
        if len(input_shape) != self.rank + 2:
            raise ValueError(f"{self.name} expects {self.rank + 2} axes, not {input_shape}")

    def check_input(self, x):
        self.build(x.shape)

    def call(self, x, training=False, **arguments):
        y, backward = self.function(x, **arguments)
        return y, lambda dy: (backward(dy), [])


class _WindowPooling(_Pooling):
    by_sample = True
    shard = 64
    pool: Callable[..., _Forward]

    def __init__(self, pool_size, strides=None, padding="valid", data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        strides = pool_size if strides is None else strides
        self.pool_size = per_axis(pool_size, self.rank, "pool_size", least=1)
        self.strides = per_axis(strides, self.rank, "strides", least=1)
        self.padding = _checked_padding(padding)

    def function(self, x):
        return self.pool(x, self.pool_size, self.strides, self.padding, self.data_format)

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        axes = _pixel_axes(len(shape), self.data_format)
        for axis, size, stride in zip(axes, self.pool_size, self.strides, strict=True):
            if shape[axis] is not None:
                shape[axis], _ = _fit(shape[axis], size, stride, self.padding)
        return tuple(shape)


class MaxPooling1D(_WindowPooling):
    """y = the largest number of each window of steps: see max_pool."""

    commutes_with_relu = True
    rank = 1
    pool = staticmethod(max_pool)

    def __init__(self, pool_size=2, strides=None, padding="valid", data_format=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class MaxPooling2D(_WindowPooling):
    """y = the largest number of each window of pixels: see max_pool."""

    commutes_with_relu = True
    pool = staticmethod(max_pool)

    def __init__(self, pool_size=(2, 2), strides=None, padding="valid", data_format=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class AveragePooling1D(_WindowPooling):
    """y = the average of each window of steps: see average_pool."""

    rank = 1
    pool = staticmethod(average_pool)


class AveragePooling2D(_WindowPooling):
    """y = the average of each window of pixels: see average_pool."""

    pool = staticmethod(average_pool)


class _GlobalPooling(_Pooling):
    pool: Callable[..., _Forward]

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(data_format, **kwargs)
        self.keepdims = keepdims

    def function(self, x, **arguments):
        return self.pool(x, self.data_format, self.keepdims, **arguments)

    def compute_output_shape(self, input_shape):
        axes = _pixel_axes(len(input_shape), self.data_format)
        sizes = [1 if axis in axes else size for axis, size in enumerate(input_shape)]
        kept = [size for axis, size in enumerate(sizes) if self.keepdims or axis not in axes]
        return tuple(kept)


class GlobalMaxPooling1D(_GlobalPooling):
    """y = the largest number of each channel over all steps: see global_max_pool."""

    rank = 1
    pool = staticmethod(global_max_pool)


class GlobalMaxPooling2D(_GlobalPooling):
    """y = the largest number of each channel over all pixels: see global_max_pool."""

    pool = staticmethod(global_max_pool)


class GlobalAveragePooling1D(_GlobalPooling):
    """y = the average of each channel over all steps, or those of forward's mask (n, steps)."""

    rank = 1
    pool = staticmethod(global_average_pool)

    def call(self, x, training=False, mask=None):
        return super().call(x, training, mask=mask)

    def compute_mask(self, inputs, mask=None):
        """None: no steps are left to mask."""


class GlobalAveragePooling2D(_GlobalPooling):
    """y = the average of each channel over all pixels: see global_average_pool."""

    pool = staticmethod(global_average_pool)
