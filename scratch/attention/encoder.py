"""The encoder block of a transformer, and the positions that attention alone does not see."""

import numpy as np

from scratch import initializers
from scratch.dense import Dense
from scratch.dropout import Dropout
from scratch.network import Layer
from scratch.normalization import LayerNormalization

from .heads import MultiHeadAttention


class PositionEmbedding(Layer):
    """y = x + embeddings, a vector for each step of a sequence (n, t, d).

    Attention takes the steps of a sequence for a set; embeddings tell them apart.
    """

    supports_masking = True
    embeddings: np.ndarray

    def __init__(self, embeddings_initializer="uniform", **kwargs):
        super().__init__(**kwargs)
        self.embeddings_initializer = initializers.get(embeddings_initializer)

    def build(self, input_shape):
        self.add_weight(input_shape[1:], self.embeddings_initializer, name="embeddings")

    def check_input(self, x):
        if x.shape[1:] != self.embeddings.shape:
            steps, features = self.embeddings.shape
            raise ValueError(f"{self.name} expects (n, {steps}, {features}), not {x.shape}")

    def call(self, x, training=False):
        return x + self.embeddings, lambda dy, needs_dx=True: (dy, [dy.sum(axis=0)])


class TransformerEncoder(Layer):
    """y = norm(z + dropout(relu(z @ …) @ …)), z = norm(x + dropout(attention(x, x))), x (n, t, d).

    Each norm is a LayerNormalization of its own, the attention a MultiHeadAttention of num_heads
    heads of d / num_heads features, with biases or without, and the first product is
    intermediate_dim wide. With a seed, the three dropouts, that of the attention first, draw from
    seed, seed + 1 and seed + 2. The attention hides steps that a mask (n, t) leaves out.
    ValueError where num_heads does not divide d. Source: Vaswani et al., 2017.
    """

    supports_masking = True

    def __init__(
        self, intermediate_dim, num_heads, dropout=0.0, use_bias=True, seed=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.intermediate_dim = intermediate_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.use_bias = use_bias
        self.seed = seed

    def build(self, input_shape):
        features, dtype = input_shape[-1], self.dtype
        if len(input_shape) != 3 or features % self.num_heads:
            raise ValueError(f"{self.num_heads} heads cannot share the features of {input_shape}")
        seeds = [None if self.seed is None else self.seed + i for i in range(3)]
        size = features // self.num_heads
        self.attention = MultiHeadAttention(
            self.num_heads,
            size,
            dropout=self.dropout,
            use_bias=self.use_bias,
            seed=seeds[0],
            dtype=dtype,
            name="attention",
        )
        self.attention_dropout = Dropout(self.dropout, seed=seeds[1], dtype=dtype)
        self.attention_norm = LayerNormalization(dtype=dtype, name="attention_norm")
        self.intermediate = Dense(self.intermediate_dim, "relu", dtype=dtype, name="intermediate")
        self.output_dense = Dense(features, dtype=dtype, name="output")
        self.output_dropout = Dropout(self.dropout, seed=seeds[2], dtype=dtype)
        self.output_norm = LayerNormalization(dtype=dtype, name="output_norm")
        self.attention.ensure_built([input_shape, input_shape])
        self.attention_norm.ensure_built(input_shape)
        self.intermediate.ensure_built(input_shape)
        self.output_dense.ensure_built((*input_shape[:-1], self.intermediate_dim))
        self.output_norm.ensure_built(input_shape)
        self.layers = [
            self.attention,
            self.attention_norm,
            self.intermediate,
            self.output_dense,
            self.output_norm,
        ]

    def call(self, x, training=False, mask=None, **masks):
        if mask is not None:
            masks |= {"query_mask": mask, "value_mask": mask}
        z, backward_z = self._attend(x, training, masks)
        y, backward_y = self._transform(z, training)

        def backward(dy, needs_dx=True):
            dz, of_transformation = backward_y(dy)
            dx, of_attention = backward_z(dz, needs_dx)
            return dx, of_attention + of_transformation

        return y, backward

    def _attend(self, x, training, masks):
        """z = norm(x + dropout(attention(x, x)))."""
        attended, backward_attention = self.attention.forward(x, x, training=training, **masks)
        kept, backward_dropout = self.attention_dropout.forward(attended, training)
        z, backward_norm = self.attention_norm.forward(x + kept)

        def backward(dz, needs_dx):
            dsum, of_norm = backward_norm(dz)
            dattended, _ = backward_dropout(dsum)
            dx, of_attention = backward_attention(dattended, needs_dx=needs_dx)
            return dsum + sum(dx) if needs_dx else None, of_attention + of_norm

        return z, backward

    def _transform(self, z, training):
        """y = norm(z + dropout(output(intermediate(z)))), for each step of its own."""
        hidden, backward_intermediate = self.intermediate.forward(z)
        output, backward_output = self.output_dense.forward(hidden)
        kept, backward_dropout = self.output_dropout.forward(output, training)
        y, backward_norm = self.output_norm.forward(z + kept)

        def backward(dy):
            dsum, of_norm = backward_norm(dy)
            doutput, _ = backward_dropout(dsum)
            dhidden, of_output = backward_output(doutput)
            dz, of_intermediate = backward_intermediate(dhidden)
            return dsum + dz, of_intermediate + of_output + of_norm

        return y, backward
