"""Augmentation: images that are moved, turned or lit at random in training, and left in inference.

Every draw is that of Keras's layer from the same seed, in floatx, whatever the layer's dtype is;
only RandomContrast draws in its own. Images are (n, h, w, c), or (n, c, h, w) with channels_first.
Keras's layers augment unless told not to; these do so in training alone, as all layers do here.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import random
from .network import Layer
from .reshaping import _channels_first, _positive

_Array = np.ndarray
_Forward = tuple[_Array, Callable[[_Array], _Array]]
_Range = Sequence[float]


def flip(images: _Array, flips: _Array, axes: tuple[int, ...]) -> _Forward:
    """y = images reversed along the axes where flips (n, 1, 1, 1) is True; dx = dy reversed."""

    def turn(x):
        return np.where(flips, np.flip(x, axes), x)

    return turn(images), turn


def crop(images: _Array, top: int, left: int, height: int, width: int) -> _Forward:
    """y = height x width pixels of every image (n, h, w, c); outside of them dx is 0."""
    rows, columns = slice(top, top + height), slice(left, left + width)

    def backward(dy):
        dx = np.zeros(images.shape, dy.dtype)
        dx[:, rows, columns] = dy
        return dx

    return images[:, rows, columns].copy(), backward


def adjust_brightness(images: _Array, delta: _Array, value_range: _Range = (0, 255)) -> _Forward:
    """y = images + delta within value_range, a delta (n, 1, 1, 1) for each; dx = 0 where cut."""
    return _clip(images + delta, value_range)


def _clip(x, value_range):
    """y = x within value_range; dx = dy where x was, limits included, else 0."""
    low, high = value_range
    inside = (np.real(x) >= low) & (np.real(x) <= high)
    limit = np.where(np.real(x) < low, low, high)
    return np.where(inside, x, limit.astype(x.dtype)), lambda dy: np.where(inside, dy, 0)


def adjust_contrast(images: _Array, factor: _Array, value_range: _Range = (0, 255)) -> _Forward:
    """y = (images - mean) * factor + mean within value_range, the mean of each image and channel.

    With dz = dy where nothing was cut, dx = dz * factor + mean(dz) * (1 - factor). factor is
    (n, 1, 1, 1), images are (n, h, w, c).
    """
    mean = images.mean((1, 2), keepdims=True)
    y, backward_clip = _clip((images - mean) * factor + mean, value_range)

    def backward(dy):
        dz = backward_clip(dy)
        return dz * factor + dz.mean((1, 2), keepdims=True) * (1 - factor)

    return y, backward


def affine_transform(
    images: _Array,
    transform: _Array,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> _Forward:
    """y[i, j] = images[v, u], u = (a * j + b * i + c) / k, v = (d * j + e * i + f) / k.

    transform (n, 8) has a, b, c, d, e, f, g and h for each image, k is g * j + h * i + 1. Between
    pixels, y is "bilinear" or that of the "nearest"; outside, the image goes on by fill_mode:
    "constant" is fill_value, "nearest" the edge, "reflect" and "wrap" the image again. dx adds up
    what each pixel gave; TensorFlow's gradient is another, dy moved back by the inverse transform.
    As in TensorFlow u, v and, even for float64, what lies between pixels are computed in float32.
    """
    if data_format is not None and _channels_first(data_format):
        settings = transform, interpolation, fill_mode, fill_value
        return _channels_last(lambda x: affine_transform(x, *settings), images)
    n, h, w, c = images.shape
    u, v = _sources(transform, h, w)
    rows = _taps(_continued(v, h, fill_mode), h, interpolation)
    columns = _taps(_continued(u, w, fill_mode), w, interpolation)
    in_float32 = images.dtype == "float64" and interpolation == "bilinear"
    pixels = images.reshape(n, h * w, c).astype("float32" if in_float32 else images.dtype)
    samples, outside = np.arange(n)[:, np.newaxis], np.float32(fill_value)

    def pixel(row, column):
        """Its number within an image, and whether it is inside."""
        return row.index * w + column.index, (row.inside & column.inside)[..., np.newaxis]

    def taken(row, column):
        number, inside = pixel(row, column)
        return column.weight * np.where(inside, pixels[samples, number], outside)

    y = [row.weight * sum(taken(row, column) for column in columns) for row in rows]

    def backward(dy):
        dx, dy = np.zeros(pixels.shape, dy.dtype), dy.reshape(pixels.shape)
        for row, column in itertools.product(rows, columns):
            number, inside = pixel(row, column)
            np.add.at(dx, (samples, number), inside * (row.weight * (column.weight * dy)))
        return dx.reshape(images.shape)

    return np.asarray(sum(y)).astype(images.dtype).reshape(images.shape), backward


def _channels_last(function, images):
    """function, which takes channels last, of images that have them first."""
    y, backward = function(np.moveaxis(images, 1, -1))
    return np.moveaxis(y, -1, 1), lambda dy: np.moveaxis(backward(np.moveaxis(dy, 1, -1)), -1, 1)


def _sources(transform, h, w):
    """(u, v): from which column and row of its image each of the h * w pixels of y comes."""
    a, b, c, d, e, f, g, k = np.asarray(transform, "float32").T[..., np.newaxis]
    i, j = (axis.reshape(-1).astype("float32") for axis in np.indices((h, w)))
    scale = g * j + k * i + 1
    return (a * j + b * i + c) / scale, (d * j + e * i + f) / scale


def _continued(at, size, fill_mode):
    """Places of an axis, those outside of it led back inside by fill_mode."""
    if fill_mode == "constant":
        return at
    if fill_mode == "reflect":
        # as TensorFlow does, turn by turn of 2 * size pixels
        turn = at - 2 * size * np.trunc(at / (2 * size))
        turn = np.where(turn < -size, turn + 2 * size, turn)
        back = np.where(turn < 0, 0, 2 * size) - turn - 1
        at = np.where((turn < 0) | (turn >= size), back, turn)
    elif fill_mode == "wrap":
        # as TensorFlow does, which counts turns of size - 1 pixels and goes back size for each
        turns = np.trunc(np.abs(at) / max(1, size - 1))
        at = np.where(
            at < 0, at + size * (turns + 1), np.where(at > size - 1, at - size * turns, at)
        )
    return np.clip(at, 0, size - 1).astype("float32")


@dataclass(frozen=True)
class _Tap:
    """A pixel that a place on an axis takes from, (n, h * w), and how much, (n, h * w, 1)."""

    index: _Array
    inside: _Array
    weight: _Array


def _taps(at, size, interpolation):
    """The pixels of an axis that a place takes from; index is 0 outside."""
    if interpolation == "nearest":
        near = [(np.trunc(at + np.copysign(np.float32(0.5), at)), np.ones_like(at))]
    else:
        floor = np.floor(at)
        near = [(floor, floor + 1 - at), (floor + 1, at - floor)]
    return [_tap(index, (index >= 0) & (index < size), weight) for index, weight in near]


def _tap(index, inside, weight):
    return _Tap(np.where(inside, index, 0).astype(int), inside, weight[..., np.newaxis])


class _Augmentation(Layer):
    """In training y = augmented(x), with draws of its own SeedGenerator; in inference y = x."""

    def __init__(self, seed=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.channels_first = _channels_first(data_format)
        self.seed_generator = random.SeedGenerator(seed)

    def augmented(self, x: _Array) -> _Forward:
        raise NotImplementedError

    def build(self, input_shape):
        if len(input_shape) != 4:
            raise ValueError(f"{self.name} expects 4 axes, those of images, not {input_shape}")

    def check_input(self, x):
        self.build(x.shape)

    def call(self, x, training=False):
        y, backward = self.augmented(x) if training else (x, lambda dy: dy)
        return y, lambda dy: (backward(dy), [])

    def size(self, x):
        """(height, width) of images."""
        return x.shape[2:] if self.channels_first else x.shape[1:3]

    def drawn(self, x, low=0.0, high=1.0, dtype=None):
        """A number between low and high for each image, (n, 1, 1, 1)."""
        return random.uniform((len(x), 1, 1, 1), low, high, dtype, self.seed_generator)


class RandomFlip(_Augmentation):
    """y = about every other image reversed, where mode says: see flip.

    mode is "horizontal", "vertical" or "horizontal_and_vertical", which reverses both or none.
    """

    def __init__(self, mode="horizontal_and_vertical", seed=None, data_format=None, **kwargs):
        super().__init__(seed, data_format, **kwargs)
        axes = {"horizontal": (2,), "vertical": (1,), "horizontal_and_vertical": (1, 2)}
        if mode not in axes:
            raise ValueError(f"mode is {', '.join(axes)}, not {mode!r}")
        self.axes = tuple(axis + self.channels_first for axis in axes[mode])

    def augmented(self, x):
        return flip(x, self.drawn(x) <= 0.5, self.axes)


class RandomCrop(_Augmentation):
    """y = height x width pixels, from one random place for a batch; as in Keras, not in inference.

    Where one size of x is no larger than y's, the crop is that of the middle, without draws.
    ValueError for images smaller than that, which Keras would enlarge.
    """

    def __init__(self, height, width, seed=None, data_format=None, name=None, **kwargs):
        if seed is None:
            random.SeedGenerator()  # Keras draws a seed that it does not use
        super().__init__(seed, data_format, name=name, **kwargs)
        self.height = _positive(height, "height")
        self.width = _positive(width, "width")

    def augmented(self, x):
        top, left = self._corner(*self.size(x))

        def cropped(images):
            return crop(images, top, left, self.height, self.width)

        return _channels_last(cropped, x) if self.channels_first else cropped(x)

    def _corner(self, h, w):
        rest = h - self.height, w - self.width
        if min(rest) < 0:
            raise ValueError(f"{self.name} cannot crop {self.height} x {self.width} of {h} x {w}")
        if min(rest) == 0:
            return rest[0] // 2, rest[1] // 2
        return [int(random.uniform((), 0, n + 1.0, seed=self.seed_generator)) for n in rest]


class RandomBrightness(_Augmentation):
    """y = x + delta * (high - low) within value_range (low, high), delta uniform in factor.

    factor is a pair between -1 and 1, or a number for (-factor, factor): see adjust_brightness.
    """

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.factor = _between(factor, -1, 1, "factor")
        self.value_range = sorted(_checked_range(value_range))

    def augmented(self, x):
        low, high = self.value_range
        delta = self.drawn(x, *self.factor) * (high - low)
        return adjust_brightness(x, delta.astype(np.real(x).dtype), self.value_range)


class RandomContrast(_Augmentation):
    """y = (x - mean) * factor + mean within value_range, with 1 - lower <= factor < 1 + upper.

    factor is the pair (lower, upper), between 0 and 1. As in Keras 3.15, a number stands for
    (0, factor), which only raises the contrast: see adjust_contrast.
    """

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.factor = _between(factor, 0, 1, "factor")
        self.value_range = _checked_range(value_range)

    def augmented(self, x):
        lower, upper = self.factor
        factor = self.drawn(x, 1.0 - lower, 1.0 + upper, self.dtype)
        return adjust_contrast(x, factor, self.value_range)


def _between(factor, least, most, name):
    """(lower, upper): factor as a pair in order, a number meaning one of either sign."""
    is_pair = isinstance(factor, list | tuple)
    pair = factor if is_pair else (factor, factor)
    if not _are_two_numbers(pair) or not least <= min(pair) <= max(pair) <= most:
        raise ValueError(f"{name} is a number or two, from {least} to {most}, not {factor!r}")
    low, high = pair
    return (min(pair), max(pair)) if is_pair else (max(-abs(low), least), abs(high))


def _are_two_numbers(value):
    return len(value) == 2 and all(isinstance(each, int | float) for each in value)


def _checked_range(value_range):
    if not isinstance(value_range, list | tuple) or not _are_two_numbers(value_range):
        raise ValueError(f"value_range is a pair of numbers, not {value_range!r}")
    return value_range


class _Moved(_Augmentation):
    """y = affine_transform(x) by a transform of its own for each image."""

    def __init__(self, fill_mode, interpolation, seed, fill_value, data_format, **kwargs):
        super().__init__(seed, data_format, **kwargs)
        if fill_mode not in ("reflect", "wrap", "constant", "nearest"):
            raise ValueError(f"fill_mode is reflect, wrap, constant or nearest, not {fill_mode!r}")
        if interpolation not in ("nearest", "bilinear"):
            raise ValueError(f"interpolation is nearest or bilinear, not {interpolation!r}")
        self.fill_mode = fill_mode
        self.interpolation = interpolation
        self.fill_value = fill_value

    def transform(self, x) -> list[Any]:
        """The six numbers of affine_transform, each (n, 1) or the same for all."""
        raise NotImplementedError

    def augmented(self, x):
        numbers = [np.broadcast_to(part, (len(x), 1)) for part in self.transform(x)]
        transform = np.concatenate([*numbers, np.zeros((len(x), 2))], axis=1)
        settings = self.interpolation, self.fill_mode, self.fill_value
        layout = "channels_first" if self.channels_first else "channels_last"
        return affine_transform(x, transform, *settings, layout)

    def drawn_pair(self, x, low, high):
        return self.drawn(x, low, high)[:, :, 0, 0]


class RandomTranslation(_Moved):
    """y = x moved down and to the right by shares of its height and width, drawn from factors.

    A factor is a pair between -1 and 1, or a number for (-factor, factor): see affine_transform.
    """

    def __init__(
        self,
        height_factor,
        width_factor,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor = _between(height_factor, -1, 1, "height_factor")
        self.width_factor = _between(width_factor, -1, 1, "width_factor")

    def transform(self, x):
        h, w = self.size(x)
        down = self.drawn_pair(x, *self.height_factor) * h
        right = self.drawn_pair(x, *self.width_factor) * w
        return [1, 0, -right, 0, 1, -down]


class RandomRotation(_Moved):
    """y = x turned around its center, by shares of a whole turn drawn from factor.

    factor is a pair between -1 and 1, or a number for (-factor, factor): see affine_transform. In
    Keras 3.15 this layer fails where floatx is float64; the reference mends it.
    """

    def __init__(
        self,
        factor,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor = _between(factor, -1, 1, "factor")

    def transform(self, x):
        h, w = self.size(x)
        low, high = self.factor
        angle = self.drawn_pair(x, low * 360.0, high * 360.0) * (np.pi / 180)
        cos, sin = np.cos(angle), np.sin(angle)
        cx, cy = (w - 1) / 2, (h - 1) / 2
        return [cos, -sin, cx - cx * cos + cy * sin, sin, cos, cy - cx * sin - cy * cos]


class RandomZoom(_Moved):
    """y = x seen from nearer or farther, by 1 + a share drawn from factors: below 1 it grows.

    Without width_factor both directions have one zoom. A factor is a pair between -1 and 1, or a
    number for (-factor, factor): see affine_transform.
    """

    def __init__(
        self,
        height_factor,
        width_factor=None,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor = _between(height_factor, -1, 1, "height_factor")
        both = height_factor if width_factor is None else width_factor
        self.width_factor = _between(both, -1, 1, "width_factor")
        self.is_uniform = width_factor is None

    def transform(self, x):
        h, w = self.size(x)
        vertical = self._zoom(x, self.height_factor)
        horizontal = vertical if self.is_uniform else self._zoom(x, self.width_factor)
        left, top = (w - 1) / 2 * (1 - horizontal), (h - 1) / 2 * (1 - vertical)
        return [horizontal, 0, left, 0, vertical, top]

    def _zoom(self, x, factor):
        low, high = factor
        return self.drawn_pair(x, 1.0 + low, 1.0 + high).astype("float32")
