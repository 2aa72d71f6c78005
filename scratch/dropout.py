"""Dropout and noise: in training each number is dropped or disturbed, in inference nothing is.

Every draw is that of Keras's layer from the same seed: masks have the same bits, normal noise the
same but for the last places.
"""

import math
from collections.abc import Callable

import numpy as np

from . import random
from .network import Layer
from .network.arguments import are_channels_first, below_1, between_0_and_1, is_integer

_Array = np.ndarray
_Forward = tuple[_Array, Callable[[_Array], _Array]]
_Seed = int | random.SeedGenerator | None


def gaussian_noise(x: _Array, stddev: float, seed: _Seed = None) -> _Forward:
    """y = x + noise, the noise normal with mean 0 and standard deviation stddev."""
    return x + random.normal(x.shape, 0.0, stddev, _drawn(x), seed), lambda dy: dy


def gaussian_dropout(x: _Array, rate: float, seed: _Seed = None) -> _Forward:
    """y = x * noise, the noise normal with mean 1 and variance rate / (1 - rate), as dropout's."""
    stddev = math.sqrt(rate / (1 - rate))
    noise = random.normal(x.shape, 1.0, stddev, _drawn(x), seed)
    return x * noise, lambda dy: dy * noise


def _drawn(x):
    """The dtype to draw in: Keras has no longer one than float64."""
    return "float32" if x.dtype.char in "fF" else "float64"


def alpha_dropout(
    x: _Array, rate: float, noise_shape: tuple[int | None, ...] | None = None, seed: _Seed = None
) -> _Forward:
    """y = a * (x where u >= rate, else low) + b, for u uniform in [0, 1); dx = a * dy or 0.

    low is the limit of selu towards the left; a and b keep a mean of 0 and a variance of 1. As in
    Keras, u is drawn in floatx, whatever x is, and the rate it is held against rounded to float32.
    Source: Klambauer et al., 2017.
    """
    low = -1.6732632423543772 * 1.0507009873554805
    a = ((1 - rate) * (1 + rate * low**2)) ** -0.5
    b = -a * low * rate
    u = random.uniform(random._mask_shape(noise_shape, x.shape), seed=seed)
    keep = u >= np.float32(rate)
    return a * np.where(keep, x, low) + b, lambda dy: np.where(keep, a * dy, 0)


class _Disturbance(Layer):
    """In training y = disturbed(x), with draws of its own SeedGenerator; else, or by 0, y = x."""

    supports_masking = True

    def __init__(self, amount, seed, **kwargs):
        super().__init__(**kwargs)
        self.amount = amount
        self.seed = seed
        if amount > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def disturbed(self, x: _Array) -> _Forward:
        raise NotImplementedError

    def call(self, x, training=False):
        y, backward = self.disturbed(x) if training and self.amount > 0 else (x, lambda dy: dy)
        return y, lambda dy: (backward(dy), [])


class Dropout(_Disturbance):
    """y = x / (1 - rate) where u >= rate, else 0, for u uniform in [0, 1): see random.dropout.

    noise_shape is the shape of u, None standing for a size of x: with (None, 1, None) the steps of
    a sequence are dropped or kept together. Source: Srivastava et al., 2014.
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        self.rate = between_0_and_1(rate, "rate")
        self.noise_shape = _checked_noise_shape(noise_shape)
        super().__init__(rate, seed, **kwargs)

    def disturbed(self, x):
        return random.dropout(x, self.rate, self.noise_shape, self.seed_generator)


def _checked_noise_shape(noise_shape):
    if noise_shape is None:
        return None
    is_sequence = isinstance(noise_shape, list | tuple)
    if not is_sequence or not all(n is None or (is_integer(n) and n > 0) for n in noise_shape):
        raise ValueError(f"noise_shape takes positive integers and Nones, not {noise_shape!r}")
    return tuple(noise_shape)


class SpatialDropout1D(Dropout):
    """Dropout of whole channels of (n, steps, channels). Source: Tompson et al., 2014."""

    pixel_axes = (1,)

    def __init__(self, rate, seed=None, name=None, dtype=None):
        super().__init__(rate, seed=seed, name=name, dtype=dtype)

    def check_input(self, x):
        if x.ndim != len(self.pixel_axes) + 2:
            raise ValueError(f"{self.name} expects {len(self.pixel_axes) + 2} axes, not {x.shape}")

    def disturbed(self, x):
        shape = tuple(1 if i in self.pixel_axes else size for i, size in enumerate(x.shape))
        return random.dropout(x, self.rate, shape, self.seed_generator)


class SpatialDropout2D(SpatialDropout1D):
    """Dropout of whole channels of images. Source: Tompson et al., 2014."""

    def __init__(self, rate, data_format=None, seed=None, name=None, dtype=None):
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.pixel_axes = (2, 3) if are_channels_first(data_format) else (1, 2)


class GaussianNoise(_Disturbance):
    """y = x + noise, the noise normal with mean 0 and standard deviation stddev."""

    def __init__(self, stddev, seed=None, **kwargs):
        self.stddev = between_0_and_1(stddev, "stddev")
        super().__init__(stddev, seed, **kwargs)

    def disturbed(self, x):
        return gaussian_noise(x, self.stddev, self.seed_generator)


class GaussianDropout(_Disturbance):
    """y = x * noise, the noise normal with mean 1 and variance rate / (1 - rate), as dropout's.

    ValueError for a rate of 1, whose variance is infinite. Source: Srivastava et al., 2014.
    """

    def __init__(self, rate, seed=None, **kwargs):
        self.rate = below_1(rate, "rate")
        super().__init__(rate, seed, **kwargs)

    def disturbed(self, x):
        return gaussian_dropout(x, self.rate, self.seed_generator)


class AlphaDropout(_Disturbance):
    """y = a * (x where u >= rate, else low) + b: see alpha_dropout. For networks with selu.

    ValueError for a rate of 1, which leaves no variance to keep. Source: Klambauer et al., 2017.
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        self.rate = below_1(rate, "rate")
        self.noise_shape = _checked_noise_shape(noise_shape)
        super().__init__(rate, seed, **kwargs)

    def disturbed(self, x):
        return alpha_dropout(x, self.rate, self.noise_shape, self.seed_generator)
