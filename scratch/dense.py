"""Fully connected layers: as a function, as Keras's layer, and as a naive network of two."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import activations, constraints, initializers, regularizers
from .network import Layer
from .network.arguments import positive
from .network.layer import activate


def dense(x, kernel, bias=None):
    """y = x @ kernel + bias, for x (..., i), kernel (i, o), bias (o,); y is (..., o).

    dx = dy @ kernel.T, dkernel = x.T @ dy, dbias = the sum of dy over the samples. With bias=None
    there is no dbias; with needs_dx=False, for a network's first layer, dx is None.
    """
    y = x @ kernel if bias is None else x @ kernel + bias

    def backward(dy, needs_dx=True):
        dx = dy @ kernel.T if needs_dx else None
        # further axes of x count as more samples
        drows = dy.reshape(-1, dy.shape[-1])
        rows = x.reshape(len(drows), x.shape[-1])
        if bias is None:
            return dx, rows.T @ drows
        return dx, rows.T @ drows, drows.sum(axis=0)

    return y, backward


class Dense(Layer):
    """y = activation(x @ kernel + bias), for x (..., i), kernel (i, units), bias (units,).

    ValueError for units that are no positive integer and for an x of other width than the kernel's.
    """

    by_sample = True
    supports_masking = True
    kernel: np.ndarray
    bias: np.ndarray | None

    def __init__(
        self,
        units,
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
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive(units, "units")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape):
        self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def check_input(self, x):
        if x.ndim < 2 or x.shape[-1] != len(self.kernel):
            raise ValueError(f"{self.name} expects (..., {len(self.kernel)}), not {x.shape}")

    def preactivation(self, x, training=False):
        """x @ kernel + bias, the logits where the activation is softmax or sigmoid."""
        z, backward_dense = dense(x, self.kernel, self.bias)

        def backward(dz, needs_dx=True):
            dx, *gradients = backward_dense(dz, needs_dx)
            return dx, gradients

        return z, backward

    def call(self, x, training=False):
        return activate(self.activation, *self.preactivation(x))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)


class Activation(Layer):
    """y = activation(x), a layer of its own where something stands between the sums and it."""

    supports_masking = True

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def preactivation(self, x, training=False):
        return x, lambda dx, needs_dx=True: (dx, [])

    def call(self, x, training=False):
        return activate(self.activation, *self.preactivation(x))


class NaiveDense:
    """y = activation(x @ W + b), with W uniform in [0, 0.1) and b zero: the smallest dense layer.

    activation is a function that returns (y, backward), such as activations.relu. W has shape
    (input_size, output_size), b (output_size,). Source: Chollet, Deep Learning with Python.
    """

    def __init__(self, input_size: int, output_size: int, activation: Callable, dtype=None):
        self.activation = activation
        uniform = initializers.RandomUniform(minval=0.0, maxval=1e-1)
        self.W = uniform((input_size, output_size), dtype)
        self.b = initializers.Zeros()((output_size,), dtype)

    def __call__(self, x):
        return self.forward(x)[0]

    def forward(self, x):
        z, backward_dense = dense(x, self.W, self.b)
        y, backward_activation = self.activation(z)

        def backward(dy):
            dx, *gradients = backward_dense(backward_activation(dy))
            return dx, gradients

        return y, backward

    @property
    def weights(self) -> list[np.ndarray]:
        return [self.W, self.b]


class NaiveSequential:
    """y = layers[-1](… layers[0](x)): a list of layers called in turn.

    Source: Chollet, Deep Learning with Python.
    """

    def __init__(self, layers: list[NaiveDense]):
        self.layers = layers

    def __call__(self, x):
        return self.forward(x)[0]

    def forward(self, x):
        backwards = []
        for layer in self.layers:
            x, backward = layer.forward(x)
            backwards.append(backward)

        def backward(dy):
            gradients = []
            for layer_backward in reversed(backwards):
                dy, layer_gradients = layer_backward(dy)
                gradients = layer_gradients + gradients
            return dy, gradients

        return x, backward

    @property
    def weights(self) -> list[np.ndarray]:
        return [weight for layer in self.layers for weight in layer.weights]


class BatchGenerator:
    """Successive batches of (images, labels); the last one holds what is left.

    next() advances by batch_size samples and starts over after num_batches of them; iterating
    gives one epoch. ValueError where images and labels differ in number.
    """

    def __init__(self, images, labels, batch_size: int = 128):
        if len(images) != len(labels):
            raise ValueError(f"{len(images)} images but {len(labels)} labels")
        self.index = 0
        self.images = images
        self.labels = labels
        self.batch_size = positive(batch_size, "batch_size")
        self.num_batches = math.ceil(len(images) / batch_size)

    def next(self):
        batch = slice(self.index, self.index + self.batch_size)
        self.index = batch.stop if batch.stop < len(self.images) else 0
        return self.images[batch], self.labels[batch]

    def __iter__(self) -> Iterator[tuple]:
        self.index = 0
        return (self.next() for _ in range(self.num_batches))
