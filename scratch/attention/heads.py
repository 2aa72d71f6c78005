"""Multi-head attention: several attentions side by side, each with projections of its own."""

import copy
import math
from typing import Any

import numpy as np

from scratch import constraints, initializers, random, regularizers
from scratch.dense import dense
from scratch.network import Layer
from scratch.network.arguments import between_0_and_1, integers, positive

from .functions import attend, causal, dropping, hidden_softmax, masked_softmax, near, together


class Projection(Layer):
    """y = the sum of x * kernel over the last input_axes axes of x, + bias, as Keras's EinsumDense.

    kernel has their sizes and then those of output_shape, which y has in their place.
    """

    kernel: np.ndarray
    bias: np.ndarray | None = None

    def __init__(
        self,
        output_shape,
        input_axes=1,
        use_bias=True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.output_shape = tuple(output_shape)
        self.input_axes = input_axes
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.of_kernel = {"regularizer": kernel_regularizer, "constraint": kernel_constraint}
        self.of_bias = {"regularizer": bias_regularizer, "constraint": bias_constraint}

    def build(self, input_shape):
        shape = (*input_shape[-self.input_axes :], *self.output_shape)
        initializer = _summing(self.kernel_initializer, self.input_axes, len(shape))
        self.add_weight(shape, initializer, name="kernel", **self.of_kernel)
        if self.use_bias:
            self.add_weight(self.output_shape, self.bias_initializer, name="bias", **self.of_bias)

    def check_input(self, x):
        if x.shape[-self.input_axes :] != self.kernel.shape[: self.input_axes]:
            expected = ", ".join(map(str, self.kernel.shape[: self.input_axes]))
            raise ValueError(f"{self.name} expects (..., {expected}), not {x.shape}")

    def call(self, x, training=False):
        samples, columns = x.shape[: -self.input_axes], math.prod(self.output_shape)
        bias = None if self.bias is None else self.bias.reshape(columns)
        rows = x.reshape(*samples, -1)
        y, backward_dense = dense(rows, self.kernel.reshape(-1, columns), bias)

        def backward(dy, needs_dx=True):
            drows, dkernel, *dbias = backward_dense(dy.reshape(*samples, columns), needs_dx)
            gradients = [dkernel.reshape(self.kernel.shape)]
            gradients += [d.reshape(self.output_shape) for d in dbias]
            return None if drows is None else drows.reshape(x.shape), gradients

        return y.reshape(*samples, *self.output_shape), backward


def _summing(initializer, inputs, ndim):
    """The initializer for a kernel of which the first axes are summed over, so many of them."""
    is_free = isinstance(initializer, initializers.VarianceScaling) and not (
        initializer.input_axes and initializer.output_axes
    )
    if not is_free:
        return initializer
    initializer = copy.copy(initializer)
    initializer.input_axes, initializer.output_axes = range(inputs), range(inputs, ndim)
    return initializer


class MultiHeadAttention(Layer):
    """y = output(heads), each head softmax(query(x) @ key(x).T / sqrt(key_dim)) @ value(x).

    forward(query, value, key=None) takes sequences of any widths, (n, t, i), (n, s, j), (n, s, k),
    value being the key too where none is given. query, key and value are projected to num_heads
    heads of key_dim, key_dim and value_dim features, and the heads together to y, of output_shape
    or as wide as query. dx is a tuple in the order of the inputs. Sequences may have further axes:
    attention_axes are those attended over, by default all.

    Masks are True for what counts: attention_mask (n, t, s), those of query (n, t), of value and
    of key (n, s), and use_causal_mask and sliding_window, which hide later and distant keys. All
    have to agree. query_mask is the mask that Keras's query carries; Keras ignores one given as an
    argument. As in Keras, a query from which all is hidden takes the average of all values, but 0
    with dropout, several axes or return_attention_scores. The returned scores are those before
    dropout, and 1 / sqrt(key_dim) is rounded to float32. Source: Vaswani et al., 2017.
    """

    takes_list = True

    def __init__(
        self,
        num_heads,
        key_dim,
        value_dim=None,
        dropout=0.0,
        use_bias=True,
        output_shape=None,
        attention_axes=None,
        sliding_window=None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_heads = positive(num_heads, "num_heads")
        self.key_dim = positive(key_dim, "key_dim")
        self.value_dim = key_dim if value_dim is None else positive(value_dim, "value_dim")
        self.dropout = between_0_and_1(dropout, "dropout")
        self.use_bias = use_bias
        self.output_shape = _as_tuple(output_shape, "output_shape")
        self.attention_axes: Any = _as_tuple(attention_axes, "attention_axes")
        self.sliding_window = sliding_window
        if sliding_window is not None:
            positive(sliding_window, "sliding_window")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.seed = seed
        self._scale = np.float32(1 / math.sqrt(key_dim))

    def build(self, input_shape):
        query, value, key = input_shape if len(input_shape) == 3 else (*input_shape, input_shape[1])
        self.ndim = len(query)
        self.attention_axes = self._attended(self.ndim)
        heads = self.num_heads, self.key_dim
        self.query_dense = self._projection("query", heads, query)
        self.key_dense = self._projection("key", heads, key)
        self.value_dense = self._projection("value", (self.num_heads, self.value_dim), value)
        self.seed_generator = random.SeedGenerator(self.seed) if self.dropout else None
        of_all = (*query[:-1], self.num_heads, self.value_dim)
        self.output_dense = self._projection(
            "attention_output", self.output_shape or query[-1:], of_all, input_axes=2
        )
        self.layers = [self.query_dense, self.key_dense, self.value_dense, self.output_dense]

    def _attended(self, ndim):
        """attention_axes of a query of so many axes, counted from 0."""
        between = range(1, ndim - 1)
        axes = [axis + ndim * (axis < 0) for axis in self.attention_axes or between]
        if not axes or len(set(axes)) < len(axes) or not set(axes) <= set(between):
            raise ValueError(
                f"{self.name} attends over axes between the samples and the features, "
                f"not over {self.attention_axes} of a query of {ndim} axes"
            )
        return tuple(axes)

    def check_input(self, x):
        query, value, *key = [part.shape for part in x]
        key = key[0] if key else value
        others = set(range(self.ndim - 1)) - set(self.attention_axes)
        fits = self.ndim == len(query) == len(value)
        fits = fits and all(query[axis] == value[axis] for axis in others)
        if not fits or value[:-1] != key[:-1]:
            shapes = f"{query}, {value} and {key}"
            raise ValueError(f"{self.name} cannot take query, value and key of shapes {shapes}")

    def _projection(self, name, output_shape, input_shape, input_axes=1):
        """A Projection that is built; its initializers draw seeds of their own."""
        projection = Projection(
            output_shape,
            input_axes,
            self.use_bias,
            _fresh(self.kernel_initializer),
            _fresh(self.bias_initializer),
            self.kernel_regularizer,
            self.bias_regularizer,
            self.kernel_constraint,
            self.bias_constraint,
            dtype=self.dtype,
            name=name,
        )
        projection.ensure_built(input_shape)
        return projection

    def forward(self, query, value, key=None, training=False, **arguments):
        """(y, backward); arguments are masks and return_attention_scores, which makes y a list."""
        inputs = [query, value] if key is None else [query, value, key]
        return super().forward(inputs, training, **arguments)

    def call(self, x, training=False, return_attention_scores=False, **masks):
        query, value, *key = x
        q, backward_q = self.query_dense.forward(query)
        k, backward_k = self.key_dense.forward(key[0] if key else value)
        v, backward_v = self.value_dense.forward(value)
        is_plain = q.ndim == 4 and not self.dropout and not return_attention_scores
        weigh = hidden_softmax if is_plain else masked_softmax
        drop = dropping(self.dropout, self.seed_generator, training)
        mask = self._mask(query, value, **masks)
        (heads, scores), backward_heads = attend(
            q, k, v, self._scale, weigh, drop, axes=self.attention_axes, mask=mask
        )
        y, backward_y = self.output_dense.forward(heads)

        def backward(dys, needs_dx=True):
            dy, *dscores = dys if return_attention_scores else [dys]
            dheads, of_output = backward_y(dy)
            dq, dk, dv = backward_heads(dheads, *dscores)
            dquery, of_query = backward_q(dq, needs_dx=needs_dx)
            dkey, of_key = backward_k(dk, needs_dx=needs_dx)
            dvalue, of_value = backward_v(dv, needs_dx=needs_dx)
            gradients = [*of_query, *of_key, *of_value, *of_output]
            if not needs_dx:
                return None, gradients
            return (dquery, dvalue, dkey) if key else (dquery, dvalue + dkey), gradients

        return [y, scores] if return_attention_scores else y, backward

    def _mask(
        self,
        query,
        value,
        attention_mask=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        use_causal_mask=False,
    ):
        """All masks in one, as the scores (n, ..., heads, t, s) are; None where there is none."""
        steps = query.shape[1], value.shape[1]
        mask = together(
            attention_mask,
            None if query_mask is None else np.expand_dims(query_mask, -1),
            None if value_mask is None else np.expand_dims(value_mask, -2),
            None if key_mask is None else np.expand_dims(key_mask, -2),
            causal(*steps) if use_causal_mask else None,
            near(*steps, self.sliding_window) if self.sliding_window else None,
        )
        return None if mask is None else self._over_heads(mask, query.ndim)

    def _over_heads(self, mask, ndim):
        """mask with an axis for the heads, and for all else that it does not tell apart."""
        missing, heads = ndim + len(self.attention_axes) - mask.ndim, -2 * len(self.attention_axes)
        return np.expand_dims(mask, tuple(range(heads - missing, heads)))

    def compute_output_shape(self, input_shape):
        query = input_shape[0]
        return (*query[:-1], *(self.output_shape or query[-1:]))


def _fresh(initializer):
    is_one = isinstance(initializer, initializers.Initializer)
    return initializer.clone() if is_one else initializer


def _as_tuple(value, name):
    if value is None:
        return None
    return integers((value,) if isinstance(value, int) else value, name)
