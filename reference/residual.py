"""Residual blocks: layers learn what to change about x, and x itself takes a shortcut past them."""

import keras


class ResidualBlock(keras.layers.Layer):
    """y = relu(second(first(x)) + shortcut(x)), for images x (n, h, w, c)."""

    def __init__(self, filters, strides=1, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.strides = strides
        self.activation = keras.activations.relu

    def build(self, input_shape):
        self.first = self._convolution("first", 3, self.strides, activation="relu")
        self.second = self._convolution("second", 3)
        self.first.build(input_shape)
        shape = self.first.compute_output_shape(input_shape)
        self.second.build(shape)
        self.projection = None
        if shape != tuple(input_shape):
            self.projection = self._convolution("projection", 1, self.strides, use_bias=False)
            self.projection.build(input_shape)
        self.add = keras.layers.Add(dtype=self.dtype_policy)

    def _convolution(self, name, size, strides=1, **settings):
        settings |= {"kernel_initializer": "he_uniform", "dtype": self.dtype_policy, "name": name}
        return keras.layers.Conv2D(self.filters, size, strides, padding="same", **settings)

    def call(self, x):
        change = self.second(self.first(x))
        kept = x if self.projection is None else self.projection(x)
        return self.activation(self.add([change, kept]))

    def compute_output_shape(self, input_shape):
        return self.first.compute_output_shape(input_shape)
