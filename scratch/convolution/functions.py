"""Convolutions of signals (n, steps, c) and of images (n, h, w, c)."""

from collections.abc import Callable

import numpy as np

from scratch.network.arguments import are_channels_first, per_axis

from .products import correlate, kernel_gradient, spread, windows_of
from .sliding import Numbers, Pair, Slide, slide_over, span, transposed_size

_Array = np.ndarray
_Forward = tuple[_Array, Callable]


def conv(
    inputs: _Array,
    kernel: _Array,
    strides: Numbers = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Numbers = 1,
) -> _Forward:
    """y[n, i, j, o] = sum(inputs[n, i * s + k * d - a, j * s + l * d - b, c] * kernel[k, l, c, o]).

    The sum is over k, l and c; s are the strides, d is the dilation_rate, a and b are the zeros of
    the padding above and left. Where the kernel has fewer channels c than the inputs, they are cut
    into groups of c, and each makes its share of the outputs. backward gives dinputs and dkernel;
    with needs_dx=False, for a network's first layer, dinputs is None. y and dinputs lie in memory
    with the batch last. Signals may also have padding="causal", which Keras leaves to its layer.
    """
    images = _Images(inputs, kernel, strides, padding, data_format, dilation_rate)
    x = images.seen(inputs)
    slide = images.slide(x.shape[1:3])
    images.check_groups(x)
    windows = windows_of(x, slide, images.kernel)
    y = correlate(windows, images.kernel)

    def backward(dy, needs_dx=True):
        dy = images.seen(dy)
        dx = images.restored(spread(dy, images.kernel, slide, x.shape)) if needs_dx else None
        return dx, kernel_gradient(windows, dy, images.kernel).reshape(kernel.shape)

    return images.restored(y), backward


def depthwise_conv(
    inputs: _Array,
    kernel: _Array,
    strides: Numbers = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Numbers = 1,
) -> _Forward:
    """y[…, (c, m)] = conv of channel c alone with kernel[…, c, m]: each channel is a group."""
    *size, channels, multiplier = kernel.shape
    grouped = kernel.reshape(*size, 1, channels * multiplier)
    y, backward_conv = conv(inputs, grouped, strides, padding, data_format, dilation_rate)

    def backward(dy, needs_dx=True):
        dinputs, dkernel = backward_conv(dy, needs_dx)
        return dinputs, dkernel.reshape(kernel.shape)

    return y, backward


def separable_conv(
    inputs: _Array,
    depthwise_kernel: _Array,
    pointwise_kernel: _Array,
    strides: Numbers = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Numbers = 1,
) -> _Forward:
    """y = conv(depthwise_conv(inputs, depthwise_kernel), pointwise_kernel), the latter 1 x 1."""
    settings = (strides, padding, data_format, dilation_rate)
    z, backward_depthwise = depthwise_conv(inputs, depthwise_kernel, *settings)
    y, backward_pointwise = conv(z, pointwise_kernel, data_format=data_format)

    def backward(dy, needs_dx=True):
        dz, dpointwise = backward_pointwise(dy)
        dinputs, ddepthwise = backward_depthwise(dz, needs_dx)
        return dinputs, ddepthwise, dpointwise

    return y, backward


def conv_transpose(
    inputs: _Array,
    kernel: _Array,
    strides: Numbers = 1,
    padding: str = "valid",
    output_padding: Numbers | None = None,
    data_format: str | None = None,
    dilation_rate: Numbers = 1,
) -> _Forward:
    """y[n, i * s + k * d - a, j * s + l * d - b, o] += inputs[n, i, j, c] * kernel[k, l, o, c].

    It is conv's way back, taken forth, and its own way back is conv. Where conv brings images of
    several sizes down to that of the inputs, output_padding chooses among them.
    """
    images = _Images(inputs, kernel, strides, padding, data_format, dilation_rate)
    x = images.seen(inputs)
    if x.shape[3] != kernel.shape[-1]:
        raise ValueError(
            f"a kernel {kernel.shape} takes {kernel.shape[-1]} channels, not {x.shape[3]}"
        )
    size = images.transposed_size(x.shape[1:3], output_padding)
    slide = images.slide(size)
    y = spread(x, images.kernel, slide, (len(x), *size, kernel.shape[-2]))

    def backward(dy, needs_dx=True):
        windows = windows_of(images.seen(dy), slide, images.kernel)
        dx = images.restored(correlate(windows, images.kernel)) if needs_dx else None
        return dx, kernel_gradient(windows, x, images.kernel).reshape(kernel.shape)

    return images.restored(y), backward


class _Images:
    """What is given to a convolution, in terms of images (n, h, w, c).

    A signal is an image that is one pixel high.
    """

    def __init__(self, inputs, kernel, strides, padding, data_format, dilation_rate):
        self.rank = inputs.ndim - 2
        if self.rank not in (1, 2) or kernel.ndim != inputs.ndim or not kernel.size:
            raise ValueError(f"a kernel {kernel.shape} does not slide over inputs {inputs.shape}")
        self.channels_first = are_channels_first(data_format)
        self.kernel = kernel if self.rank == 2 else kernel[np.newaxis]
        self.strides = self.pair(strides, "strides")
        self.dilation_rate = self.pair(dilation_rate, "dilation_rate")
        self.padding = str(padding).lower()
        if self.padding == "causal" and self.rank == 2:
            raise ValueError('padding="causal" is for signals, not for images')

    def pair(self, value, name, least=1) -> Pair:
        down, across = (1, *per_axis(value, self.rank, name, least))[-2:]
        return down, across

    def seen(self, x):
        x = np.moveaxis(x, 1, -1) if self.channels_first else x
        return x if self.rank == 2 else x[:, np.newaxis]

    def restored(self, y):
        y = y if self.rank == 2 else y[:, 0]
        return np.moveaxis(y, -1, 1) if self.channels_first else y

    def check_groups(self, x):
        (*_, channels, outputs), given = self.kernel.shape, x.shape[3]
        if given % channels or outputs % (given // channels):
            raise ValueError(
                f"{given} channels are not cut into groups by a kernel {self.kernel.shape}"
            )

    def slide(self, size) -> Slide:
        kernel_size = self.kernel.shape[:2]
        return slide_over(size, kernel_size, self.strides, self.padding, self.dilation_rate)

    def transposed_size(self, size, output_padding):
        if output_padding is None:
            extra = (None, None)
        else:
            extra = self.pair(output_padding, "output_padding", least=0)
        spans = map(span, self.kernel.shape[:2], self.dilation_rate)
        axes = zip(size, spans, self.strides, [self.padding] * 2, extra, strict=True)
        return tuple(transposed_size(*axis) for axis in axes)
