"""The products behind every convolution: y, the gradient of its kernel, and the way back to x.

Windows are (groups, w, kernel w, channels, kernel h, h, n): what the kernel sees from each output.
They are a view of x, which lies (w, channels, h, n) in memory: with the batch last, all that a
column of outputs sees under one row of the kernel is a matrix. So im2col copies nothing, and a
convolution is one matrix product for each row of the kernel, a stretch of a column at a time, which
stays in the cache. Results lie in memory likewise.
"""

import functools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from .sliding import Slide

_FITS = 512  # columns of a matrix that stays in a core's cache


def windows_of(x: np.ndarray, slide: Slide, kernel: np.ndarray) -> np.ndarray:
    """windows[g, j, l, c, k, i, n] = x[n, i * s + k * d - pad, j * s + l * d - pad, (g, c)].

    They are copied where a kernel of one part would have them copied by each product.
    """
    groups = x.shape[3] // kernel.shape[2]
    image = _padded(x.transpose(2, 3, 1, 0), slide.pads)
    column, channel, row, sample = image.strides
    (down, across), (dh, dw) = slide.strides, slide.dilation_rate
    kernel_h, kernel_w, c, _ = kernel.shape
    h, w = slide.outputs(image.shape[2::-2])
    shape = groups, w, kernel_w, c, kernel_h, h, image.shape[3]
    strides = c * channel, across * column, dw * column, channel, dh * row, down * row, sample
    windows = np.ndarray(shape, image.dtype, image, strides=strides)
    return np.ascontiguousarray(windows) if _parts(kernel, groups) == 1 else windows


def _padded(image: np.ndarray, pads: tuple) -> np.ndarray:
    """image (w, c, h, n) contiguous in memory, with rows and columns of zeros around it."""
    w, c, h, n = image.shape
    (above, below), (left, right) = pads
    if not (above or below or left or right):
        return np.ascontiguousarray(image)
    padded = np.empty((left + w + right, c, above + h + below, n), image.dtype)
    padded[:left] = padded[left + w :] = 0
    padded[:, :, :above] = padded[:, :, above + h :] = 0
    padded[left : left + w, :, above : above + h] = image
    return padded


def correlate(windows: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """y[n, i, j, (g, o)] = sum(windows[g, i, k, c, l, j, n] * kernel[k, l, c, (g, o)])."""
    groups, w, *_, h, n = windows.shape
    outputs = kernel.shape[3]
    y = np.empty((w, outputs, h, n), np.result_type(windows, kernel))
    rows = _rows(y, groups)
    matrices = _matrices(kernel, groups)
    product = np.empty_like(rows) if len(matrices) > 1 else rows
    pairs = zip(_columns(windows, len(matrices)), matrices, strict=True)
    columns, matrix = next(pairs)
    np.matmul(matrix, columns, out=rows)
    for columns, matrix in pairs:
        rows += np.matmul(matrix, columns, out=product)
    return y.transpose(3, 2, 0, 1)


def kernel_gradient(windows: np.ndarray, dy: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """dkernel[k, l, c, (g, o)] = sum(windows[g, i, k, c, l, j, n] * dy[n, i, j, (g, o)])."""
    groups, kernel_h, kernel_w, c, outputs = len(windows), *kernel.shape
    rows = _rows(np.ascontiguousarray(dy.transpose(2, 3, 1, 0)), groups).swapaxes(-2, -1)
    parts = _parts(kernel, groups)
    sums = [(columns @ rows).sum(axis=(1, 2)) for columns in _columns(windows, parts)]
    shape = (parts, groups, kernel_w, c, kernel_h // parts, outputs // groups)
    return np.reshape(sums, shape).transpose(0, 4, 2, 3, 1, 5).reshape(kernel.shape)


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
    flipped = _flipped(kernel, groups)
    return correlate(windows_of(dy, back, flipped), flipped)


def _parts(kernel: np.ndarray, groups: int) -> int:
    """One for each row of the kernel; a single one where copied windows are no more than y."""
    h, w, c, o = kernel.shape
    return 1 if h * w * c <= o // groups else h


def _matrices(kernel: np.ndarray, groups: int) -> np.ndarray:
    """kernel as matrices (parts, groups, 1, 1, o, l * c * k)."""
    h, w, c, o = kernel.shape
    parts = _parts(kernel, groups)
    matrices = kernel.reshape(parts, h // parts, w, c, groups, o // groups)
    return matrices.transpose(0, 4, 5, 2, 3, 1).reshape(parts, groups, 1, 1, o // groups, -1)


def _rows(y: np.ndarray, groups: int) -> np.ndarray:
    """A view (groups, w, h / long, o, long * n) of y (w, (g, o), h, n)."""
    w, outputs, h, n = y.shape
    long = _long(h, n)
    rows = y.reshape(w, groups, outputs // groups, h // long, long * n)
    return rows.transpose(1, 0, 3, 2, 4)


def _columns(windows: np.ndarray, parts: int) -> Iterator[np.ndarray]:
    """The matrices (groups, w, h / long, l * c * k, long * n) for each part of the kernel."""
    groups, w, kernel_w, c, kernel_h, h, n = windows.shape
    size, long = kernel_h // parts, _long(h, n)
    for part in range(0, kernel_h, size):
        seen = windows[:, :, :, :, part : part + size]
        rows = seen.reshape(groups, w, kernel_w * c * size, h // long, long * n)
        yield rows.swapaxes(2, 3)


@functools.cache
def _long(h: int, n: int) -> int:
    """How many of the h outputs in a column one product makes, each for n samples."""
    return max(long for long in range(1, h + 1) if h % long == 0 and (long - 1) * n < _FITS)


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
