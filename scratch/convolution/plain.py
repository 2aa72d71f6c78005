"""The picture behind every convolution: each window becomes a row, and a matrix product follows."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

_Forward = tuple[np.ndarray, Callable]


def im2col(x: np.ndarray, kernel_size: Sequence[int], strides: Sequence[int] = (1, 1)) -> _Forward:
    """columns[n, i, j, (k, l, c)] = x[n, i * down + k, j * across + l, c], a row for each window.

    x is (n, h, w, c), kernel_size (kernel h, kernel w), strides (down, across). backward, often
    called col2im, adds up what overlapping windows say about the same pixel.
    """
    height, width = kernel_size
    down, across = strides
    windows = sliding_window_view(x, kernel_size, axis=(1, 2))[:, ::down, ::across]
    n, h, w, c, *_ = windows.shape
    columns = windows.transpose(0, 1, 2, 4, 5, 3).reshape(n, h, w, height * width * c)

    def backward(dcolumns):
        dx = np.zeros(x.shape, dcolumns.dtype)
        dwindows = dcolumns.reshape(n, h, w, height, width, c)
        for k, m in np.ndindex(height, width):
            dx[:, k : k + h * down : down, m : m + w * across : across] += dwindows[..., k, m, :]
        return dx

    return columns, backward


def conv_by_im2col(x: np.ndarray, kernel: np.ndarray, strides: Sequence[int] = (1, 1)) -> _Forward:
    """y = im2col(x) @ kernel, the kernel (kernel h, kernel w, c, o) as a matrix with o columns.

    The same as conv with padding="valid", which takes the columns another way round to be faster.
    """
    *kernel_size, _, outputs = kernel.shape
    columns, backward_im2col = im2col(x, kernel_size, strides)
    matrix = kernel.reshape(-1, outputs)

    def backward(dy):
        rows, drows = columns.reshape(-1, len(matrix)), dy.reshape(-1, outputs)
        return backward_im2col(dy @ matrix.T), (rows.T @ drows).reshape(kernel.shape)

    return columns @ matrix, backward
