"""Keras's augmentation layers: what they draw, and for which images."""

from typing import Any

import numpy as np

from scratch import random
from scratch.network import Layer
from scratch.network.arguments import are_channels_first, positive

from .functions import (
    Array,
    Forward,
    _channels_last,
    adjust_brightness,
    adjust_contrast,
    affine_transform,
    crop,
    flip,
)


class _Augmentation(Layer):
    """In training y = augmented(x), with draws of its own SeedGenerator; in inference y = x."""

    def __init__(self, seed=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.channels_first = are_channels_first(data_format)
        self.seed_generator = random.SeedGenerator(seed)

    def augmented(self, x: Array) -> Forward:
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
    ValueError for images smaller than that, which Keras would enlarge; in a compiled function it
    sends every crop through a resize to its own size, which rounds float64 to float32.
    """

    def __init__(self, height, width, seed=None, data_format=None, name=None, **kwargs):
        if seed is None:
            random.SeedGenerator()  # Keras draws a seed that it does not use
        super().__init__(seed, data_format, name=name, **kwargs)
        self.height = positive(height, "height")
        self.width = positive(width, "width")

    def augmented(self, x):
        top, left = self._corner(*self.size(x))

        def cropped(images):
            return crop(images, top, left, self.height, self.width)

        return _channels_last(cropped, x) if self.channels_first else cropped(x)

    def compute_output_shape(self, input_shape):
        """That of the crop, as in Keras: in inference images are to come in that size."""
        images, size = list(input_shape), (self.height, self.width)
        images[slice(2, 4) if self.channels_first else slice(1, 3)] = size
        return tuple(images)

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
