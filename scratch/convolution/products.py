"""The products behind every convolution: y, the gradient of its kernel, and the way back to x.

Windows are (groups, h, w, kernel h, kernel w, channels, n): what the kernel sees from each output.
They are a view of x, which lies (h, w, channels, n) in memory: with the batch last, the columns of
a pixel under one row of the kernel are one piece. So im2col copies nothing, and a convolution is
one matrix product for each row of the kernel.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .sliding import Slide

SUMMANDS = 2**20  # of the kernel's gradient, held at a time


def windows_of(x: np.ndarray, slide: Slide, groups: int = 1) -> np.ndarray:
    """windows[g, i, j, k, l, c, n] = x[n, i * s + k * d - pad, j * s + l * d - pad, (g, c)]."""
    image = np.ascontiguousarray(x.transpose(1, 2, 3, 0))
    if any(zeros for pad in slide.pads for zeros in pad):
        image = np.pad(image, (*slide.pads, (0, 0), (0, 0)))
    h, w, c, n = image.shape
    image = image.reshape(h, w, groups, c // groups, n)
    (down, across), (dh, dw) = slide.strides, slide.dilation_rate
    windows = sliding_window_view(image, slide.spans, axis=(0, 1))
    return windows[::down, ::across, ..., ::dh, ::dw].transpose(2, 0, 1, 5, 6, 3, 4)


def correlate(windows: np.ndarray, kernel: np.ndarray, like: np.ndarray) -> np.ndarray:
    """y[n, i, j, (g, o)] = sum(windows[g, i, j, k, l, c, n] * kernel[k, l, c, (g, o)]).

    y has its axes in memory in the order of `like`.
    """
    groups, h, w, *_, n = windows.shape
    matrices = _matrices(kernel, groups)
    dtype = np.result_type(windows, kernel)
    y = np.empty_like(like, dtype, shape=(n, h, w, kernel.shape[3]))
    pixels = _pixels(y, groups)
    product = np.empty_like(pixels) if len(matrices) > 1 else pixels
    pairs = zip(_columns(windows, len(matrices)), matrices[:, :, None, None], strict=True)
    columns, matrix = next(pairs)
    np.matmul(columns.swapaxes(3, 4), matrix, out=pixels)
    for columns, matrix in pairs:
        pixels += np.matmul(columns.swapaxes(3, 4), matrix, out=product)
    return y


def kernel_gradient(windows: np.ndarray, dy: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """dkernel[k, l, c, (g, o)] = sum(windows[g, i, j, k, l, c, n] * dy[n, i, j, (g, o)])."""
    groups = len(windows)
    parts = len(_matrices(kernel, groups))
    pixels = _pixels(dy, groups)
    if parts > 1:  # each of them takes all pixels, which are faster in one piece
        pixels = np.ascontiguousarray(pixels)
    matrices = [_summed_products(columns, pixels) for columns in _columns(windows, parts)]
    return np.stack(matrices).swapaxes(1, 2).reshape(kernel.shape)


def spread(dy: np.ndarray, kernel: np.ndarray, slide: Slide, x_shape: tuple) -> np.ndarray:
    """dx[n, i * s + k * d - pad, j * s + l * d - pad, (g, c)] += dy[n, i, j, (g, o)] * kernel.

    It is a convolution again, of dy with the flipped kernel: where y[i] took x[i + k] times
    kernel[k], dx[i] takes dy[i - k] times kernel[k]. This is far faster than adding overlapping
    windows up. Strides leave zeros between the dy.
    """
    groups = x_shape[3] // kernel.shape[2]
    dy = _with_gaps(dy, slide.strides)
    overlaps = zip(slide.spans, slide.pads, strict=True)
    befores = [spanned - 1 - pad for spanned, (pad, _) in overlaps]
    axes = zip(befores, x_shape[1:3], slide.spans, dy.shape[1:3], strict=True)
    pads = tuple((before, x + spanned - 1 - before - y) for before, x, spanned, y in axes)
    back = replace(slide, strides=(1, 1), pads=pads)
    return correlate(windows_of(dy, back, groups), _flipped(kernel, groups), like=dy)


def _matrices(kernel: np.ndarray, groups: int) -> np.ndarray:
    """kernel as matrices (parts, groups, columns, o): one part for each of its rows.

    It stays in one part where its columns, which must be copied then, are no more than y.
    """
    h, w, c, o = kernel.shape
    parts = 1 if h * w * c <= o // groups else h
    return kernel.reshape(parts, h * w * c // parts, groups, o // groups).swapaxes(1, 2)


def _pixels(y: np.ndarray, groups: int) -> np.ndarray:
    """A view (groups, h, w, n, o) of y."""
    n, h, w, o = y.shape
    return y.reshape(n, h, w, groups, o // groups).transpose(3, 1, 2, 0, 4)


def _columns(windows: np.ndarray, parts: int) -> Iterator[np.ndarray]:
    """The columns (groups, h, w, columns, n) that belong to each part of the kernel."""
    groups, h, w, kernel_h, kernel_w, c, n = windows.shape
    rows = kernel_h // parts
    for k in range(0, kernel_h, rows):
        yield windows[:, :, :, k : k + rows].reshape(groups, h, w, rows * kernel_w * c, n)


def _summed_products(columns: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """sum(columns @ pixels) over the pixels (h, w), some rows of them at a time."""
    _, h, w, size, _ = columns.shape
    rows = max(1, SUMMANDS // (w * size * pixels.shape[-1]))
    blocks = [slice(i, i + rows) for i in range(0, h, rows)]
    sums = [(columns[:, block] @ pixels[:, block]).sum(axis=(1, 2)) for block in blocks]
    return np.sum(sums, axis=0)


def _with_gaps(y, strides):
    """y with strides - 1 zeros between its pixels."""
    if strides == (1, 1):
        return y
    n, h, w, o = y.shape
    down, across = strides
    apart = np.zeros_like(y, shape=(n, (h - 1) * down + 1, (w - 1) * across + 1, o))
    apart[:, ::down, ::across] = y
    return apart


def _flipped(kernel, groups):
    """kernel upside down and left to right, the inputs and outputs of each group exchanged."""
    h, w, c, o = kernel.shape
    flipped = kernel[::-1, ::-1].reshape(h, w, c, groups, o // groups)
    return flipped.transpose(0, 1, 4, 3, 2).reshape(h, w, o // groups, groups * c)
