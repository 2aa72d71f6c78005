"""Embedding: a table with a vector for each integer, looked up and learned; and Masking.

Both make a mask, which says what of shorter samples is padding.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import config
from .network import Layer
from .network.arguments import positive


def embedding(
    indices: np.ndarray, embeddings: np.ndarray
) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """y = embeddings[indices], for integers (...) and embeddings (i, o); y is (..., o).

    backward gives dembeddings alone: to each row the sum of the dy of all places that looked it up.
    As in Keras, -1 is the last row. ValueError for an index that is no row's.
    """
    rows, width = embeddings.shape
    outside = indices[(indices < -rows) | (indices >= rows)]
    if outside.size:
        raise ValueError(f"embedding takes integers from 0 to {rows - 1}, not {outside[0]}")

    def backward(dy):
        dembeddings = np.zeros(rows * width, dy.dtype)
        # add.at adds every time where an index is repeated, and is fastest along a single axis
        places = indices.reshape(-1, 1) * width + np.arange(width)
        np.add.at(dembeddings, places.reshape(-1), dy.reshape(-1))
        return dembeddings.reshape(rows, width)

    return embeddings[indices], backward


class Embedding(Layer):
    """y = embeddings[x], for integers x and embeddings (input_dim, output_dim); dx is None.

    As in Keras, other numbers than integers are cut to integers. With mask_zero, y has a mask: the
    places where x is not zero, the padding of shorter samples. A Sequential hands it on to the
    layers behind. ValueError for integers outside of the table.

    Here the gradient of a row is the sum over all places that looked it up. Keras keeps them apart,
    and its optimizers square each before they add: where an integer comes twice in a batch, Adam,
    RMSprop and others that square gradients take other steps than here; SGD takes the same.
    """

    embeddings: np.ndarray

    def __init__(
        self,
        input_dim,
        output_dim,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero=False,
        weights=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.input_dim = positive(input_dim, "input_dim")
        self.output_dim = positive(output_dim, "output_dim")
        held = embeddings_regularizer, embeddings_constraint
        self.choose("embeddings", embeddings_initializer, *held)
        self.mask_zero = mask_zero
        if weights is not None:
            self.ensure_built(None)
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape):
        shape = (self.input_dim, self.output_dim)
        self.add_weight(name="embeddings", shape=shape, **self._choices["embeddings"])

    def _cast(self, x):
        x = np.asarray(x)
        return x if x.dtype in (np.int32, np.int64) else x.astype(np.int32)

    def call(self, x, training=False):
        y, backward_y = embedding(x, self.embeddings)

        def backward(dy, needs_dx=True):
            return None, [backward_y(dy)]

        return y, backward

    def compute_mask(self, inputs, mask=None):
        """Where the inputs are not 0, with mask_zero; else None: all count."""
        return np.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)


class Masking(Layer):
    """y = x, but 0 at the steps where every number is mask_value: the mask leaves these out.

    x is (n, steps, i), or has other axes before the last; the mask lacks the last. dx is dy, but 0
    at those steps. As in Keras, mask_value is rounded to floatx, and the mask of a layer before is
    forgotten.
    """

    supports_masking = True

    def __init__(self, mask_value=0.0, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(mask_value, int | float | np.number):
            raise ValueError(f"mask_value is a number, not {mask_value!r}")
        self.mask_value = mask_value

    def check_input(self, x):
        if x.ndim < 2:
            raise ValueError(f"{self.name} expects (n, ..., i), not {x.shape}")

    def call(self, x, training=False):
        counts = self.compute_mask(x)[..., np.newaxis]
        return np.where(counts, x, 0), lambda dy: (np.where(counts, dy, 0), [])

    def compute_mask(self, inputs, mask=None):
        mask_value = np.dtype(config.floatx()).type(self.mask_value)
        return (np.real(self._cast(inputs)) != mask_value).any(axis=-1)
