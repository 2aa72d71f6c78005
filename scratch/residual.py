"""Residual blocks: layers learn what to change about x, and x itself takes a shortcut past them."""

from scratch import activations
from scratch.convolution import Conv2D
from scratch.merging import add
from scratch.network import Layer
from scratch.network.layer import activate


class ResidualBlock(Layer):
    """y = relu(second(first(x)) + shortcut(x)), for images x (n, h, w, c).

    first, which ends in a relu and has the strides, and second are convolutions 3 x 3 x filters.
    shortcut(x) is x where that has the shape of y, else projection(x), a convolution 1 x 1 with the
    strides; second has the bias of both. Weights start as He's, uniform.
    Source: He et al., Deep Residual Learning for Image Recognition, 2016, without normalization.
    """

    by_sample = True
    shard = 64
    projection: Conv2D | None

    def __init__(self, filters, strides=1, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.strides = strides
        self.activation = activations.relu

    def build(self, input_shape):
        self.first = self._convolution("first", 3, self.strides, activation="relu")
        self.second = self._convolution("second", 3)
        self.first.ensure_built(input_shape)
        shape = self.first.compute_output_shape(input_shape)
        self.second.ensure_built(shape)
        self.layers = [self.first, self.second]
        self.projection = None
        if shape != input_shape:
            self.projection = self._convolution("projection", 1, self.strides, use_bias=False)
            self.projection.ensure_built(input_shape)
            self.layers.append(self.projection)

    def _convolution(self, name, size, strides=1, **settings):
        settings |= {"kernel_initializer": "he_uniform", "dtype": self.dtype, "name": name}
        return Conv2D(self.filters, size, strides, padding="same", **settings)

    def check_input(self, x):
        self.first.check_input(x)

    def call(self, x, training=False):
        return activate(self.activation, *self.preactivation(x))

    def preactivation(self, x, training=False):
        """second(first(x)) + shortcut(x); dx is what comes back both ways, added up."""
        hidden, backward_first = self.first.forward(x)
        change, backward_second = self.second.forward(hidden)
        kept, backward_shortcut = self._shortcut(x)
        z, backward_add = add(change, kept)

        def backward(dz, needs_dx=True):
            dchange, dkept = backward_add(dz)
            dhidden, of_second = backward_second(dchange)
            dx, of_first = backward_first(dhidden, needs_dx=needs_dx)
            dx_kept, of_projection = backward_shortcut(dkept, needs_dx=needs_dx)
            return dx + dx_kept if needs_dx else None, of_first + of_second + of_projection

        return z, backward

    def _shortcut(self, x):
        """x itself, whose gradient passes unchanged, or its projection."""
        if self.projection is None:
            return x, lambda dy, needs_dx=True: (dy, [])
        return self.projection.forward(x)

    def compute_output_shape(self, input_shape):
        return self.first.compute_output_shape(input_shape)
