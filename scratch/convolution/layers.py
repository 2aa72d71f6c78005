"""Keras's convolution layers: weights, settings and what they refuse, around the functions.

With channels_first the bias has a number per channel. Keras 3.15 adds it along the width instead
where there are as many columns as channels: to its ops.add, any vector as long as the last axis is
a bias along that axis.
"""

from typing import Any

import numpy as np

from scratch import activations
from scratch.network import Layer
from scratch.network.arguments import are_channels_first, per_axis, positive
from scratch.network.layer import activate

from .functions import conv, conv_transpose, depthwise_conv, separable_conv
from .sliding import Numbers, output_size, span, transposed_size


class _Convolution(Layer):
    """y = activation(convolution(x) + bias), of images, or of signals where rank is 1."""

    by_sample = True
    shard = 64
    rank = 2
    paddings: tuple[str, ...] = ("valid", "same")
    bias: np.ndarray | None

    def __init__(
        self,
        kernel_size,
        strides,
        padding,
        data_format,
        dilation_rate,
        activation,
        use_bias,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.kernel_size = per_axis(kernel_size, self.rank, "kernel_size", least=1)
        self.strides = per_axis(strides, self.rank, "strides", least=1)
        self.dilation_rate = per_axis(dilation_rate, self.rank, "dilation_rate", least=1)
        self.padding = str(padding).lower()
        if self.padding not in self.paddings:
            raise ValueError(f"padding is one of {', '.join(self.paddings)}, not {padding!r}")
        self.data_format = data_format
        self.channel_axis = 1 if are_channels_first(data_format) else self.rank + 1
        self.activation = activations.get(activation)
        self.use_bias = use_bias

    def outputs(self, channels: int) -> int:
        """How many channels y has."""
        raise NotImplementedError

    def add_kernels(self, channels: int):
        """Create the weights that come before the bias."""
        raise NotImplementedError

    def convolution(self, x):
        """(y, backward) without bias, where backward gives dx and the gradient of each kernel."""
        raise NotImplementedError

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        self.channels = input_shape[self.channel_axis]
        self.add_kernels(self.channels)
        self.bias = None
        if self.use_bias:
            shape = (self.outputs(self.channels),)
            self.add_weight(name="bias", shape=shape, **self._choices["bias"])

    def check_rank(self, shape):
        if len(shape) != self.rank + 2:
            raise ValueError(f"{self.name} takes inputs of {self.rank + 2} axes, not {shape}")

    def check_input(self, x):
        self.check_rank(x.shape)
        if x.shape[self.channel_axis] != self.channels:
            raise ValueError(f"{self.name} takes {self.channels} channels, not {x.shape}")

    def preactivation(self, x, training=False):
        """convolution(x) + bias."""
        z, backward_convolution = self.convolution(x)
        channels = [1] * z.ndim
        channels[self.channel_axis] = -1
        if self.bias is not None:
            z += self.bias.reshape(channels)

        def backward(dz, needs_dx=True):
            dx, *gradients = backward_convolution(dz, needs_dx)
            if self.bias is not None:
                # einsum is faster here than sum
                gradients.append(np.einsum(dz, list(range(dz.ndim)), [self.channel_axis]))
            return dx, gradients

        return z, backward

    def call(self, x, training=False):
        return activate(self.activation, *self.preactivation(x))

    def compute_output_shape(self, input_shape):
        self.check_rank(input_shape)
        shape = list(input_shape)
        channels = shape.pop(self.channel_axis)
        shape[1:] = self.output_sizes(shape[1:])
        shape.insert(self.channel_axis, self.outputs(channels))
        return tuple(shape)

    def output_sizes(self, sizes):
        spans = map(span, self.kernel_size, self.dilation_rate)
        axes = zip(sizes, spans, self.strides, strict=True)
        return [output_size(*axis, self.padding) for axis in axes]

    def refuse_strides_with_dilation(self):
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"strides={self.strides} above 1 do not go with a dilation_rate above 1, "
                f"but {self.dilation_rate} was given"
            )


class _Conv(_Convolution):
    """y = activation(conv(x, kernel) + bias), kernel (kernel_size…, channels / groups, filters)."""

    kernel: np.ndarray

    def __init__(self, filters, *settings, groups, **kwargs):
        super().__init__(*settings, **kwargs)
        self.filters = positive(filters, "filters")
        self.groups = positive(groups, "groups")
        self.refuse_strides_with_dilation()
        if self.filters % self.groups:
            raise ValueError(f"{filters} filters cannot be shared out among {groups} groups")

    def outputs(self, channels):
        return self.filters

    def add_kernels(self, channels):
        if channels % self.groups:
            raise ValueError(f"{channels} channels cannot be cut into {self.groups} groups")
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.add_weight(name="kernel", shape=shape, **self._choices["kernel"])

    def convolution(self, x):
        settings = (self.strides, self.padding, self.data_format, self.dilation_rate)
        return conv(x, self.kernel, *settings)


class Conv1D(_Conv):
    """y = activation(conv(x, kernel) + bias) for signals (n, steps, c).

    kernel is (kernel_size, c / groups, filters). padding="causal" lets no output see later steps.
    """

    rank = 1
    paddings = ("valid", "same", "causal")

    def __init__(
        self,
        filters,
        kernel_size,
        strides: Numbers = 1,
        padding="valid",
        data_format=None,
        dilation_rate: Numbers = 1,
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs,
    ):
        settings = (kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias)
        kwargs |= {"groups": groups, "activity_regularizer": activity_regularizer}
        super().__init__(filters, *settings, **kwargs)
        self.choose("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.choose("bias", bias_initializer, bias_regularizer, bias_constraint)


class Conv2D(_Conv):
    """y = activation(conv(x, kernel) + bias) for images (n, h, w, c).

    kernel is (*kernel_size, c / groups, filters).
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides: Numbers = (1, 1),
        padding="valid",
        data_format=None,
        dilation_rate: Numbers = (1, 1),
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs,
    ):
        settings = (kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias)
        kwargs |= {"groups": groups, "activity_regularizer": activity_regularizer}
        super().__init__(filters, *settings, **kwargs)
        self.choose("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.choose("bias", bias_initializer, bias_regularizer, bias_constraint)


class DepthwiseConv2D(_Convolution):
    """y = activation(depthwise_conv(x, kernel) + bias): each channel c by itself.

    kernel is (*kernel_size, c, depth_multiplier).
    """

    kernel: np.ndarray

    def __init__(
        self,
        kernel_size,
        strides: Numbers = (1, 1),
        padding="valid",
        depth_multiplier=1,
        data_format=None,
        dilation_rate: Numbers = (1, 1),
        activation=None,
        use_bias=True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs,
    ):
        settings = (kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias)
        super().__init__(*settings, activity_regularizer=activity_regularizer, **kwargs)
        self.depth_multiplier = positive(depth_multiplier, "depth_multiplier")
        self.choose("kernel", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self.choose("bias", bias_initializer, bias_regularizer, bias_constraint)

    def outputs(self, channels):
        return channels * self.depth_multiplier

    def add_kernels(self, channels):
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.add_weight(name="kernel", shape=shape, **self._choices["kernel"])

    def convolution(self, x):
        settings = (self.strides, self.padding, self.data_format, self.dilation_rate)
        return depthwise_conv(x, self.kernel, *settings)


class SeparableConv2D(_Convolution):
    """y = activation(separable_conv(x, depthwise_kernel, pointwise_kernel) + bias).

    depthwise_kernel is (*kernel_size, c, depth_multiplier), pointwise_kernel
    (1, 1, c * depth_multiplier, filters).
    """

    depthwise_kernel: np.ndarray
    pointwise_kernel: np.ndarray

    def __init__(
        self,
        filters,
        kernel_size,
        strides: Numbers = (1, 1),
        padding="valid",
        data_format=None,
        dilation_rate: Numbers = (1, 1),
        depth_multiplier=1,
        activation=None,
        use_bias=True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs,
    ):
        settings = (kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias)
        super().__init__(*settings, activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive(filters, "filters")
        self.depth_multiplier = positive(depth_multiplier, "depth_multiplier")
        depthwise = (depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        pointwise = (pointwise_initializer, pointwise_regularizer, pointwise_constraint)
        self.choose("depthwise_kernel", *depthwise)
        self.choose("pointwise_kernel", *pointwise)
        self.choose("bias", bias_initializer, bias_regularizer, bias_constraint)

    def outputs(self, channels):
        return self.filters

    def add_kernels(self, channels):
        depthwise_shape = (*self.kernel_size, channels, self.depth_multiplier)
        pointwise_shape = (1, 1, channels * self.depth_multiplier, self.filters)
        for name, shape in (
            ("depthwise_kernel", depthwise_shape),
            ("pointwise_kernel", pointwise_shape),
        ):
            self.add_weight(name=name, shape=shape, **self._choices[name])

    def convolution(self, x):
        settings = (self.strides, self.padding, self.data_format, self.dilation_rate)
        return separable_conv(x, self.depthwise_kernel, self.pointwise_kernel, *settings)


class Conv2DTranspose(_Convolution):
    """y = activation(conv_transpose(x, kernel) + bias).

    kernel is (*kernel_size, filters, c). output_padding, below strides, adds to the size of y.
    """

    kernel: np.ndarray

    def __init__(
        self,
        filters,
        kernel_size,
        strides: Numbers = (1, 1),
        padding="valid",
        output_padding: Numbers | None = None,
        data_format=None,
        dilation_rate: Numbers = (1, 1),
        activation=None,
        use_bias=True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs,
    ):
        settings = (kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias)
        super().__init__(*settings, activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive(filters, "filters")
        self.refuse_strides_with_dilation()
        self.output_padding = self._below_strides(output_padding)
        self.choose("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.choose("bias", bias_initializer, bias_regularizer, bias_constraint)

    def _below_strides(self, output_padding):
        if output_padding is None:
            return None
        paddings = per_axis(output_padding, self.rank, "output_padding", least=0)
        if any(p >= stride for p, stride in zip(paddings, self.strides, strict=True)):
            raise ValueError(f"output_padding={paddings} is not below strides={self.strides}")
        return paddings

    def outputs(self, channels):
        return self.filters

    def add_kernels(self, channels):
        shape = (*self.kernel_size, self.filters, channels)
        self.add_weight(name="kernel", shape=shape, **self._choices["kernel"])

    def convolution(self, x):
        settings = (self.strides, self.padding, self.output_padding)
        settings += (self.data_format, self.dilation_rate)
        return conv_transpose(x, self.kernel, *settings)

    def output_sizes(self, sizes):
        spans = map(span, self.kernel_size, self.dilation_rate)
        extra = self.output_padding or (None,) * self.rank
        paddings = (self.padding,) * self.rank
        axes = zip(sizes, spans, self.strides, paddings, extra, strict=True)
        return [transposed_size(*axis) for axis in axes]
