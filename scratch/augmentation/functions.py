"""Images (n, h, w, c) flipped, cropped, lit and moved, in ways that are given."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from scratch.network.arguments import are_channels_first

Array = np.ndarray
Forward = tuple[Array, Callable[[Array], Array]]
Range = Sequence[float]


def flip(images: Array, flips: Array, axes: tuple[int, ...]) -> Forward:
    """y = images reversed along the axes where flips (n, 1, 1, 1) is True; dx = dy reversed."""

    def turn(x):
        return np.where(flips, np.flip(x, axes), x)

    return turn(images), turn


def crop(images: Array, top: int, left: int, height: int, width: int) -> Forward:
    """y = height x width pixels of every image (n, h, w, c); outside of them dx is 0."""
    rows, columns = slice(top, top + height), slice(left, left + width)

    def backward(dy):
        dx = np.zeros(images.shape, dy.dtype)
        dx[:, rows, columns] = dy
        return dx

    return images[:, rows, columns].copy(), backward


def adjust_brightness(images: Array, delta: Array, value_range: Range = (0, 255)) -> Forward:
    """y = images + delta within value_range, a delta (n, 1, 1, 1) for each; dx = 0 where cut."""
    return _clip(images + delta, value_range)


def _clip(x, value_range):
    """y = x within value_range; dx = dy where x was, limits included, else 0."""
    low, high = value_range
    inside = (np.real(x) >= low) & (np.real(x) <= high)
    limit = np.where(np.real(x) < low, low, high)
    return np.where(inside, x, limit.astype(x.dtype)), lambda dy: np.where(inside, dy, 0)


def adjust_contrast(images: Array, factor: Array, value_range: Range = (0, 255)) -> Forward:
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
    images: Array,
    transform: Array,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Forward:
    """y[i, j] = images[v, u], u = (a * j + b * i + c) / k, v = (d * j + e * i + f) / k.

    transform (n, 8) has a, b, c, d, e, f, g and h for each image, k is g * j + h * i + 1. Between
    pixels, y is "bilinear" or that of the "nearest"; outside, the image goes on by fill_mode:
    "constant" is fill_value, "nearest" the edge, "reflect" and "wrap" the image again. dx adds up
    what each pixel gave; TensorFlow's gradient is another, dy moved back by the inverse transform.
    As in TensorFlow u, v and, even for float64, what lies between pixels are computed in float32.
    """
    if data_format is not None and are_channels_first(data_format):
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

    index: Array
    inside: Array
    weight: Array


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
